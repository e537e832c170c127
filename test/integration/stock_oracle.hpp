// What the stock job's outputs and state must be: a plain fold of its input,
// sharing no code with the application.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::test {

/// A record as it was read from Kafka.
struct seen_record {
  std::string_view key;
  std::string_view value;
  std::int64_t timestamp = 0;
  int partition = 0;
};

/// First all inputs, in order per partition, then all outputs, then the dump.
class stock_oracle {
public:
  struct options {
    /// Outputs may repeat after a crash; none may be missing.
    bool at_least_once = false;
    /// Inputs that are no ticks are left out instead of being a failure.
    bool skip_bad = false;
  };

  explicit stock_oracle(options o) : options_(o) {}

  void input(const seen_record& x);
  void output(const seen_record& x);
  /// After the last output: says what is missing.
  void outputs_end();
  /// One {"key":…,"value":{…}} a line, in key order.
  void state(std::istream& dump);

  std::uint64_t inputs() const noexcept { return inputs_; }
  std::uint64_t skipped() const noexcept { return skipped_; }
  std::uint64_t outputs() const noexcept { return outputs_; }
  std::uint64_t repeated() const noexcept { return repeated_; }
  std::size_t keys() const noexcept { return keys_.size(); }

  /// All of them are counted, the first few described.
  std::uint64_t failures() const noexcept { return failures_; }
  const std::vector<std::string>& texts() const noexcept { return texts_; }

private:
  struct change {
    double price = 0;
    std::int64_t quantity = 0;
    double change_rate = 0;
    std::int64_t timestamp = 0;

    friend bool operator==(const change&, const change&) = default;
  };

  struct history {
    int partition = 0;
    /// One a tick, in order.
    std::vector<change> expected;
    /// How many of them were seen, from the first on.
    std::size_t complete = 0;
    /// One after the last seen.
    std::size_t next = 0;
  };

  void failed(std::string text);
  bool accept_repeat(history& of, const change& got) const;

  options options_;
  std::unordered_map<std::string, history> keys_;
  std::uint64_t inputs_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t outputs_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t failures_ = 0;
  std::vector<std::string> texts_;
};

} // namespace weir::test
