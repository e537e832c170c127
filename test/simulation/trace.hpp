// What a simulated run did, as one number, with the last lines for a person.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace weir::sim {

/// Collects steps, log events and file operations in their order. Two runs of a
/// seed are the same run exactly if their hashes are equal.
class trace {
public:
  /// `kind`: 's' a step, 'l' a log event, 'f' a file operation, 'x' a crash.
  void add(char kind, std::string_view text) {
    if (paused_)
      return;
    hash_ = fold(fold(hash_, {&kind, 1}), text);
    hash_ = (hash_ ^ 0xffu) * prime;
    if (print_)
      print_(kind, text);
    lines_.push_back(kind + (' ' + std::string{text}));
    if (lines_.size() > kept)
      lines_.pop_front();
  }

  /// While a dead life is torn down nothing counts.
  void pause(bool on) noexcept { paused_ = on; }
  void on_line(std::function<void(char, std::string_view)> print) {
    print_ = std::move(print);
  }

  std::uint64_t hash() const noexcept { return hash_; }
  const std::deque<std::string>& last_lines() const noexcept { return lines_; }

private:
  static constexpr std::uint64_t prime = 0x100000001b3;
  static constexpr std::size_t kept = 60;

  /// FNV-1a.
  static std::uint64_t fold(std::uint64_t hash,
                            std::string_view text) noexcept {
    for (unsigned char each : text)
      hash = (hash ^ each) * prime;
    return hash;
  }

  std::uint64_t hash_ = 0xcbf29ce484222325;
  std::deque<std::string> lines_;
  std::function<void(char, std::string_view)> print_;
  bool paused_ = false;
};

} // namespace weir::sim
