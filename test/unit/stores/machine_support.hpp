// A machine with one task's database, and the commits of that task.
#pragma once

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

#include "stores/database/task_database.hpp"
#include "test/driver/file_env.hpp"
#include "test/unit/stores/changelog/changelog_support.hpp"
#include "test/unit/stores/log_support.hpp"

namespace weir::test {

inline const std::string directory = "/data/job/0";

/// The world of a machine with that disk.
class disk_world final : public outside_world {
public:
  explicit disk_world(const file_env& disk) : disk_(disk) {}
  std::int64_t wall_clock_ms() override { return now_ms; }
  std::uint64_t random_bits() override { return ++bits_; }
  std::string boot_id() override { return disk_.boot_id(); }
  std::string host_name() override { return "host"; }
  std::int64_t process_id() override { return 4711; }
  std::uint64_t process_start(std::int64_t) override { return 17; }

  std::int64_t now_ms = 1'000'000'000;

private:
  const file_env& disk_;
  std::uint64_t bits_ = 0;
};

/// A machine with one task's directory.
struct machine {
  file_env disk;
  std::shared_ptr<disk_world> world = std::make_shared<disk_world>(disk);
  collected_log log;

  task_database_options options() const {
    task_database_options out;
    out.directory = directory;
    out.generation = generation;
    out.database.files = disk.current();
    out.database.write_buffer_bytes = 64 << 10;
    out.database.table_bytes = 32 << 10;
    return out;
  }
  result<std::unique_ptr<task_database>> open() const {
    return task_database::open(options(), world);
  }
};

/// The commits of a task as it would apply them: nth commit of a fixed history.
class history {
public:
  history() : owner_(log_) {
    for (int n = 1; n <= 60; ++n) {
      changes x;
      for (int i = 0; i < 5; ++i)
        x[key(std::to_string((n * 7 + i * 3) % 40))] =
            i == 4 ? std::nullopt
                   : std::optional{std::to_string(n) + std::string(800, 'v')};
      owner_.commit(x);
      changes_.push_back(std::move(x));
    }
  }

  /// Applies commit `n` (from 1) in one batch, as a task does.
  result<void> apply(backend& to, std::size_t n) const {
    change_batch batch;
    for (auto& [k, v] : changes_.at(n - 1))
      if (v)
        batch.put(k, *v);
      else
        batch.erase(k);
    commit_metadata(past(n).record, past(n).position)
        .for_each([&](auto k, auto v) { batch.put(k, *v); });
    return to.write(batch, false);
  }

  /// Which commit a database is at; its state must be exactly that one's.
  std::size_t check(task_database& database) const {
    auto& metadata = database.metadata();
    if (!metadata.commit) {
      CHECK(contents(database.store()).empty());
      return 0;
    }
    auto n = static_cast<std::size_t>(metadata.commit->by.sequence);
    CHECK(*metadata.commit == past(n).record);
    CHECK(metadata.position->offset == past(n).position);
    CHECK(contents(database.store()) == past(n).state);
    CHECK(verify(database.store(), metadata.commit));
    return n;
  }

  const owner::past_commit& past(std::size_t n) const {
    return owner_.history.at(n - 1);
  }
  const changelog& log() const { return log_; }

private:
  changelog log_;
  owner owner_;
  std::vector<changes> changes_;
};

inline const history& the_history() {
  static const history x;
  return x;
}

/// A database in use with `commits` commits, closed or not.
inline void prepare(machine& on, std::size_t commits, bool close) {
  auto database = on.open();
  REQUIRE(database);
  REQUIRE((*database)->use());
  for (std::size_t n = 1; n <= commits; ++n)
    REQUIRE(the_history().apply((*database)->store(), n));
  if (close)
    REQUIRE((*database)->close());
}

} // namespace weir::test
