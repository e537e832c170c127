// An embedded log in a directory of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/embedded/log/streams.hpp"
#include "test/conformance/stream_suite.hpp"
#include "test/temporary_directory.hpp"

namespace weir::test {

/// The real world with a wall clock that the test moves.
class manual_world final : public outside_world {
public:
  std::int64_t wall_clock_ms() override { return now; }
  std::uint64_t random_bits() override { return real_->random_bits(); }
  std::string boot_id() override { return real_->boot_id(); }
  std::string host_name() override { return real_->host_name(); }
  std::int64_t process_id() override { return real_->process_id(); }
  std::uint64_t process_start(std::int64_t pid) override {
    return real_->process_start(pid);
  }

  std::atomic<std::int64_t> now{1'700'000'000'000};

private:
  std::shared_ptr<outside_world> real_ = make_outside_world();
};

struct embedded_fixture_options {
  embedded_stream_options streams;
  /// Null = the real one.
  std::shared_ptr<outside_world> world;
  /// The directory is the fixture's.
  embedded_options database;
};

/// The stream suite's fixture, and that of the embedded log's own tests. Throws
/// std::runtime_error where opening fails. A test never holds the database
/// while the fixture opens it again.
class embedded_fixture final : public stream_fixture {
public:
  explicit embedded_fixture(embedded_fixture_options options = {});
  ~embedded_fixture() override;

  stream_system& streams() override { return *streams_; }
  void reopen() override;
  void drop_head(const std::string& topic, std::int32_t partition,
                 std::int64_t low) override;

  /// The parts of `reopen`; `open` answers with the error.
  void close() { streams_.reset(); }
  result<void> open();
  /// The database without a log on it, between `close` and `open`; drop it
  /// before `open`.
  std::shared_ptr<embedded_database> open_database();
  std::string directory() const { return options_.database.directory; }

private:
  temporary_directory directory_;
  embedded_fixture_options options_;
  std::unique_ptr<stream_system> streams_;
};

} // namespace weir::test
