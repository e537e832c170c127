// What the stream suite's test cases share. Waiting is always for an event,
// with a deadline that only a failing test reaches.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/stream/stream.hpp"
#include "test/conformance/stream_suite.hpp"

namespace weir::test {

inline constexpr std::chrono::seconds patience{30};

/// The value of a result, or a failed test with its error.
template <class T>
T must(result<T> x) {
  if (!x)
    FAIL(to_string(x.error()));
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

/// The code of an error, or a failed test.
template <class T>
ec error_of(const result<T>& x) {
  if (x)
    FAIL("an error was expected");
  return x.error().code();
}

/// Counts calls from any thread and lets the test wait for them.
class signal_counter {
public:
  void raise();
  int count() const;
  /// Waits until more than `seen` calls came; false after `patience`.
  bool await_more_than(int seen) const;

private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  int count_ = 0;
};

/// A record, copied out of its batch.
struct seen_record {
  std::int64_t offset = -1;
  std::int64_t timestamp = -1;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
};

std::vector<std::string> values(const std::vector<seen_record>& records);

/// A reader that waits with its callback.
class test_reader {
public:
  test_reader(stream_system& streams, const std::string& topic,
              std::int32_t partition, std::int64_t start,
              isolation level = isolation::read_committed);
  ~test_reader();

  partition_reader& reader() { return *reader_; }
  std::int64_t position() const { return reader_->position(); }
  bool at_end() const { return reader_->at_end(); }

  /// The next `count` records; fewer only when the test fails.
  std::vector<seen_record> read(std::size_t count);
  /// Everything up to the end.
  std::vector<seen_record> read_to_end();
  /// Polls until there is an error; fails the test if none comes.
  ec await_error();

private:
  template <class Done>
  void poll_until(std::vector<seen_record>& out, std::size_t most, Done done);

  std::shared_ptr<signal_counter> ready_;
  record_batch batch_;
  std::unique_ptr<partition_reader> reader_;
};

/// What became of the records of one test, in the order of `next`.
class delivery_ledger {
public:
  struct entry {
    int calls = 0;
    std::int64_t offset = -1;
    std::optional<error> failure;
  };

  delivery_ledger();
  ~delivery_ledger();

  /// A listener for one record; lives as long as the ledger.
  delivery_listener* next();
  /// Waits until every listener was called.
  bool await_all();
  /// A copy of what is known now.
  std::vector<entry> entries() const;
  std::vector<std::int64_t> offsets() const;

private:
  struct line;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::unique_ptr<line>> lines_;
  std::size_t called_ = 0;
};

/// A topic with default settings and these.
std::string make_topic(stream_fixture& fixture, int partitions,
                       std::map<std::string, std::string> config = {});

std::unique_ptr<producer>
open_plain(stream_system& streams,
           std::chrono::milliseconds linger = std::chrono::milliseconds{5});
std::unique_ptr<producer> open_transactional(stream_system& streams,
                                             const std::string& id);

/// Sends a keyed record and waits while the queue is full.
void send(producer& to, topic_ref topic, std::int32_t partition,
          const std::string& key, const std::string& value,
          delivery_listener* listener = nullptr);

/// One committed transaction with these values in partition 0, by a producer of
/// its own. Answers with their offsets.
std::vector<std::int64_t> commit_values(stream_fixture& fixture,
                                        const std::string& topic,
                                        const std::vector<std::string>& values);

watermarks limits(stream_system& streams, const std::string& topic,
                  std::int32_t partition = 0,
                  isolation level = isolation::read_committed);

} // namespace weir::test
