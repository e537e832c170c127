// What keeps a task's committed bytes: LevelDB, or memory in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/error.hpp"

namespace weir {

/// Changes that are written together or not at all; the last change of a key
/// wins. Keys are raw: store number and encoded key, or a reserved key.
class change_batch {
public:
  void put(std::string_view key, std::string_view value) {
    add(key, value, true);
  }
  void erase(std::string_view key) { add(key, {}, false); }

  void clear() noexcept {
    bytes_.clear();
    entries_.clear();
  }
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  std::size_t bytes() const noexcept { return bytes_.size(); }

  /// Calls `visit(key, optional<value>)` in order; no value = erased.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::string_view all{bytes_};
    for (auto& e : entries_) {
      auto key = all.substr(e.at, e.key_size);
      if (e.present)
        visit(key, std::optional{all.substr(e.at + e.key_size, e.value_size)});
      else
        visit(key, std::optional<std::string_view>{});
    }
  }

  /// The change with this index, for a sender that was told to wait in between.
  std::pair<std::string_view, std::optional<std::string_view>>
  at(std::size_t index) const {
    auto& e = entries_[index];
    auto key = std::string_view{bytes_}.substr(e.at, e.key_size);
    if (!e.present)
      return {key, std::nullopt};
    return {key,
            std::string_view{bytes_}.substr(e.at + e.key_size, e.value_size)};
  }

private:
  struct entry {
    std::size_t at;
    std::uint32_t key_size;
    std::uint32_t value_size;
    bool present;
  };

  void add(std::string_view key, std::string_view value, bool present) {
    entries_.push_back({bytes_.size(), static_cast<std::uint32_t>(key.size()),
                        static_cast<std::uint32_t>(value.size()), present});
    bytes_.append(key);
    bytes_.append(value);
  }

  std::string bytes_;
  std::vector<entry> entries_;
};

/// An ordered map of bytes. One thread at a time (its task's actor).
class backend {
public:
  virtual ~backend() = default;

  /// False if there is no such key. Errors: `damaged`, `io_error`.
  virtual result<bool> get(std::string_view key, std::string& value) = 0;

  /// Writes all of `changes` atomically; with `sync` it survives a power loss.
  /// After any error the backend is closed: every later call answers `closed`
  /// (a failed append of LevelDB can lose later acknowledged writes).
  virtual result<void> write(const change_batch& changes, bool sync) = 0;

  /// Visits [from, to) in key order until `visit` answers false; an empty `to`
  /// means no upper bound. `visit` must not write to this backend.
  virtual result<void>
  scan(std::string_view from, std::string_view to,
       const std::function<bool(std::string_view key, std::string_view value)>&
           visit) = 0;
};

} // namespace weir
