// LevelDB on the disk with two crashes, and on the real one.
#include <catch2/catch.hpp>

#include <filesystem>
#include <random>

#include <leveldb/db.h>
#include <leveldb/env.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/runtime/leveldb/leveldb_support.hpp"

namespace weir {
namespace {

using test::contents;
using test::key;
using test::last;
using test::put;
using test::small;
using test::state_after;

std::function<std::uint64_t()> dice(std::uint64_t seed) {
  return [engine = std::mt19937_64{seed}]() mutable { return engine(); };
}

TEST_CASE("memtables and compactions run in one thread without a deadlock") {
  file_env disk;
  std::size_t flushed = 0;
  std::size_t removed = 0;
  disk.set_trace([&](std::string_view what) {
    flushed += what.starts_with("create") && what.ends_with(".ldb");
    removed += what.starts_with("remove") && what.ends_with(".ldb");
  });
  auto store = leveldb_backend::open("/db", small(disk.current()));
  REQUIRE(store);
  constexpr int puts = 20'000;
  for (int i = 1; i <= puts; ++i)
    REQUIRE(put(**store, i));
  CHECK(contents(**store) == state_after(puts));
  CHECK(flushed > 40);
  CHECK(removed > 20);
  // A batch larger than several write buffers.
  change_batch large;
  for (int i = 0; i < 5000; ++i)
    large.put(key("large" + std::to_string(i)), std::string(100, 'x'));
  for (int i = 0; i < 5; ++i)
    REQUIRE((*store)->write(large, i % 2 == 0));
  CHECK(last(**store) == puts);
}

TEST_CASE("the same calls make the same operations, in the same order") {
  auto run = [] {
    std::vector<std::string> trace;
    file_env disk;
    disk.set_trace([&](std::string_view what) { trace.emplace_back(what); });
    auto store = leveldb_backend::open("/db", small(disk.current()));
    for (int i = 1; i <= 5000; ++i)
      REQUIRE(put(**store, i, i % 100 == 0));
    store->reset();
    disk.crash_power(dice(3));
    auto again = leveldb_backend::open("/db", small(disk.current()));
    trace.push_back(again ? std::to_string(last(**again)) : "damaged");
    return trace;
  };
  auto first = run();
  CHECK(first.size() > 5000);
  CHECK(first == run());
}

TEST_CASE("after a crash of the process every write is there") {
  file_env disk;
  auto store = leveldb_backend::open("/db", small(disk.current()));
  REQUIRE(store);
  for (int i = 1; i <= 3000; ++i)
    REQUIRE(put(**store, i));
  disk.crash_process();
  CHECK_FALSE(put(**store, 3001));
  auto again = leveldb_backend::open("/db", small(disk.current()));
  REQUIRE(again);
  CHECK(contents(**again) == state_after(3000));
  // The old object ends after the new one began.
  store->reset();
  CHECK(put(**again, 3001));
}

/// Unsynced puts with a synced one in between; power fails while the memtable
/// before the last is not flushed: the state in which an old log still counts.
/// Answers how many of the puts before the synced one are lost.
int lost_below_a_synced_write(file_guards guards) {
  file_env disk;
  int most = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    file_env disk;
    // Not run after each call: the flush of a full memtable stays pending.
    auto files = disk.current(guards);
    leveldb::Options options;
    options.env = &files->native();
    options.create_if_missing = true;
    options.paranoid_checks = true;
    options.write_buffer_size = 64 << 10;
    leveldb::DB* opened = nullptr;
    REQUIRE(leveldb::DB::Open(options, "/db", &opened).ok());
    std::unique_ptr<leveldb::DB> db{opened};
    constexpr int puts = 700; // one and a half memtables
    for (int i = 1; i <= puts; ++i) {
      leveldb::WriteOptions how;
      how.sync = i == puts;
      REQUIRE(db->Put(how, std::to_string(i), std::string(100, 'v')).ok());
    }
    disk.crash_power(dice(seed));
    files->run_scheduled();
    db.reset();
    auto again = disk.current(guards);
    options.env = &again->native();
    REQUIRE(leveldb::DB::Open(options, "/db", &opened).ok());
    db.reset(opened);
    int lost = 0;
    std::string value;
    for (int i = 1; i <= puts; ++i)
      lost += !db->Get({}, std::to_string(i), &value).ok();
    CHECK(db->Get({}, std::to_string(puts), &value).ok());
    most = std::max(most, lost);
    again->run_scheduled();
    db.reset();
  }
  return most;
}

TEST_CASE("finding 1: LevelDB alone loses writes below a synced one, with the "
          "synced rotation none is lost") {
  CHECK(lost_below_a_synced_write(file_guards::off) > 0);
  CHECK(lost_below_a_synced_write(file_guards::on) == 0);
}

TEST_CASE("finding 2: after any failed write the database is closed") {
  int refused = 0;
  for (auto fault : {file_fault::no_space, file_fault::io_error}) {
    for (std::uint64_t at = 1; at <= 400; ++at) {
      file_env disk;
      auto store = leveldb_backend::open("/db", small(disk.current()));
      REQUIRE(store);
      disk.inject(disk.operations() + at, fault);
      int acknowledged = 0;
      for (int i = 1; i <= 40; ++i) {
        auto done = put(**store, i, i % 7 == 0, 5000);
        if (done) {
          // None is answered with success behind a failed one.
          REQUIRE(acknowledged == i - 1);
          acknowledged = i;
        } else {
          CHECK(done.error().code() ==
                (acknowledged == i - 1 ? ec::io_error : ec::closed));
        }
      }
      refused += acknowledged < 40;
      if (acknowledged < 40)
        CHECK((*store)
                  ->scan("", "", [](auto, auto) { return true; })
                  .error()
                  .code() == ec::closed);
      store->reset();
      disk.inject(0, fault); // where the run was too short for it
      auto again = leveldb_backend::open("/db", small(disk.current()));
      INFO("operation " << at);
      REQUIRE(again);
      auto there = last(**again);
      // A failed one may be there or not.
      CHECK(there >= acknowledged);
      CHECK(there <= acknowledged + 1);
      CHECK(contents(**again) == state_after(there, 5000));
    }
  }
  CHECK(refused > 50);
}

/// Opens, writes, opens again: until the injected crash.
int run_until_crash(file_env& disk, int first,
                    file_guards guards = file_guards::on) {
  int acknowledged = first - 1;
  auto files = disk.current(guards);
  for (int open = 0; open < 2; ++open) {
    auto store = leveldb_backend::open("/db", small(files));
    if (!store)
      return acknowledged;
    for (int i = 0; i < 20; ++i) {
      if (!put(**store, acknowledged + 1, false, 5000))
        return acknowledged;
      ++acknowledged;
    }
  }
  return acknowledged;
}

TEST_CASE("a crash of the process at every operation loses no acknowledged "
          "write") {
  int crashes = 0;
  for (std::uint64_t at = 1;; ++at) {
    file_env disk;
    disk.inject(at, file_fault::crash);
    auto acknowledged = run_until_crash(disk, 1);
    if (!disk.crashed())
      break;
    ++crashes;
    disk.crash_process();
    auto again = leveldb_backend::open("/db", small(disk.current()));
    INFO("operation " << at);
    REQUIRE(again);
    auto there = last(**again);
    CHECK(there >= acknowledged);
    CHECK(there <= acknowledged + 1);
    CHECK(contents(**again) == state_after(there, 5000));
  }
  CHECK(crashes > 100);
}

/// Crashes of the power at every operation that left a database with holes:
/// later writes without some earlier ones.
int power_crashes_with_holes(file_guards guards) {
  int holes = 0;
  int crashes = 0;
  for (std::uint64_t at = 1;; ++at) {
    file_env disk;
    disk.inject(at, file_fault::crash);
    auto acknowledged = run_until_crash(disk, 1, guards);
    if (!disk.crashed())
      break;
    ++crashes;
    disk.crash_power(dice(at));
    auto again = leveldb_backend::open("/db", small(disk.current(guards)));
    INFO("operation " << at);
    // A log that ends before the next one begins is refused.
    if (!again) {
      CHECK(again.error().code() == ec::damaged);
      ++holes;
      continue;
    }
    auto there = last(**again);
    CHECK(there <= acknowledged + 1);
    holes += contents(**again) != state_after(there, 5000);
  }
  CHECK(crashes > 100);
  return holes;
}

TEST_CASE("a crash of the power at every operation leaves a database of an "
          "earlier write, or none") {
  CHECK(power_crashes_with_holes(file_guards::on) == 0);
  // The proof that this test can fail.
  CHECK(power_crashes_with_holes(file_guards::off) > 0);
}

TEST_CASE("synced writes survive a crash of the power at every operation") {
  int crashes = 0;
  for (std::uint64_t at = 1;; ++at) {
    file_env disk;
    disk.inject(at, file_fault::crash);
    int synced = 0;
    {
      auto store = leveldb_backend::open("/db", small(disk.current()));
      for (int i = 1; store && i <= 40; ++i) {
        if (!put(**store, i, i % 5 == 0, 5000))
          break;
        if (i % 5 == 0)
          synced = i;
      }
    }
    if (!disk.crashed())
      break;
    ++crashes;
    disk.crash_power(dice(at));
    auto again = leveldb_backend::open("/db", small(disk.current()));
    INFO("operation " << at);
    REQUIRE(again);
    auto there = last(**again);
    CHECK(there >= synced);
    CHECK(contents(**again) == state_after(there, 5000));
  }
  CHECK(crashes > 100);
}

// -- the real one

TEST_CASE("on the real file system directories are private and background work "
          "runs by itself") {
  auto root = std::filesystem::temp_directory_path() /
              ("weir-env-" + std::to_string(::getpid()));
  auto files = make_posix_environment();
  auto directory = (root / "job" / "0").string();
  REQUIRE(make_directories(*files, directory));
  struct stat info;
  REQUIRE(::stat(directory.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  {
    auto store = leveldb_backend::open(directory + "/db", small(files));
    auto other = leveldb_backend::open(directory + "/db2", small(files));
    REQUIRE(store);
    REQUIRE(other);
    for (int i = 1; i <= 5000; ++i) {
      REQUIRE(put(**store, i));
      REQUIRE(put(**other, i));
    }
    CHECK(contents(**store) == state_after(5000));
    CHECK(contents(**other) == state_after(5000));
  }
  REQUIRE(::stat((directory + "/db").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  REQUIRE(remove_directory(*files, directory + "/db"));
  CHECK_FALSE(std::filesystem::exists(directory + "/db"));
  CHECK(std::filesystem::exists(directory + "/db2"));
  std::filesystem::remove_all(root);
}

} // namespace
} // namespace weir
