#include <catch2/catch.hpp>

#include <filesystem>
#include <random>

#include <leveldb/db.h>
#include <leveldb/env.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stores/file_env.hpp"
#include "stores/leveldb_backend.hpp"
#include "stores_changelog_support.hpp"

namespace weir {
namespace {

using test::contents;
using test::key;

std::function<std::uint64_t()> dice(std::uint64_t seed) {
  return [engine = std::mt19937_64{seed}]() mutable { return engine(); };
}

/// Always the least, or all, of what may survive.
std::uint64_t nothing() {
  return 0;
}

using writable = std::unique_ptr<leveldb::WritableFile>;

writable create(environment& files, const std::string& path) {
  leveldb::WritableFile* file = nullptr;
  REQUIRE(files.native().NewWritableFile(path, &file).ok());
  return writable{file};
}

/// A small write buffer: some dozen commits make tables and compactions.
leveldb_options small(std::shared_ptr<environment> files) {
  leveldb_options out;
  out.files = std::move(files);
  out.write_buffer_bytes = 64 << 10;
  out.table_bytes = 32 << 10;
  return out;
}

using backend_ptr = std::unique_ptr<leveldb_backend>;

result<void> put(backend& to, int number, bool sync = false,
                 std::size_t size = 100) {
  change_batch batch;
  batch.put(key(std::to_string(number % 500)),
            std::to_string(number) + std::string(size, 'v'));
  batch.put(key("last"), std::to_string(number));
  return to.write(batch, sync);
}

int last(backend& from) {
  std::string value;
  auto found = from.get(key("last"), value);
  REQUIRE(found);
  return *found ? std::stoi(value) : 0;
}

/// The state after `puts` puts of that size.
test::state_map state_after(int puts, std::size_t size = 100) {
  test::state_map out;
  for (int i = 1; i <= puts; ++i)
    out[key(std::to_string(i % 500))] =
        std::to_string(i) + std::string(size, 'v');
  if (puts > 0)
    out[key("last")] = std::to_string(puts);
  return out;
}

// -- the disk
// -------------------------------------------------------------------

TEST_CASE("a crash of the process keeps what was written, not what was "
          "buffered") {
  file_env disk;
  auto files = disk.current();
  REQUIRE(make_directories(*files, "/a/b"));
  auto file = create(*files, "/a/b/x");
  REQUIRE(file->Append("written").ok());
  REQUIRE(file->Flush().ok());
  REQUIRE(file->Append("buffered").ok());
  auto boot = disk.boot_id();
  disk.crash_process();
  file.reset();
  CHECK(disk.contents("/a/b/x") == "written");
  CHECK(disk.boot_id() == boot);
}

TEST_CASE("nothing of an old life has an effect on the new one") {
  file_env disk;
  auto old = disk.current();
  REQUIRE(make_directories(*old, "/a"));
  auto file = create(*old, "/a/x");
  leveldb::FileLock* lock = nullptr;
  REQUIRE(old->native().LockFile("/a/LOCK", &lock).ok());
  disk.crash_process();
  CHECK(file->Append("x").ok());
  CHECK_FALSE(file->Flush().ok());
  CHECK_FALSE(old->native().RemoveFile("/a/x").ok());
  CHECK_FALSE(old->native().FileExists("/a/x"));
  auto files = disk.current();
  leveldb::FileLock* again = nullptr;
  REQUIRE(files->native().LockFile("/a/LOCK", &again).ok());
  CHECK_FALSE(old->native().UnlockFile(lock).ok());
  leveldb::FileLock* third = nullptr;
  CHECK_FALSE(files->native().LockFile("/a/LOCK", &third).ok());
  CHECK(files->native().UnlockFile(again).ok());
}

TEST_CASE("a crash of the power leaves a prefix of what was not synced") {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    file_env disk;
    auto files = disk.current();
    REQUIRE(make_directories(*files, "/a"));
    auto file = create(*files, "/a/x");
    REQUIRE(file->Append("synced").ok());
    REQUIRE(file->Sync().ok());
    REQUIRE(file->Append("0123456789").ok());
    REQUIRE(file->Flush().ok());
    auto boot = disk.boot_id();
    disk.crash_power(dice(seed));
    auto left = disk.contents("/a/x");
    REQUIRE(left);
    CHECK(std::string{"synced0123456789"}.starts_with(*left));
    sizes.insert(left->size());
    CHECK(disk.boot_id() != boot);
  }
  // Each length from the synced one on.
  CHECK(sizes.size() == 11);
  CHECK(*sizes.begin() == 6);
}

TEST_CASE("names that no sync covers are lost in order") {
  for (std::uint64_t kept = 0; kept <= 5; ++kept) {
    file_env disk;
    auto files = disk.current();
    REQUIRE(make_directories(*files, "/a"));
    REQUIRE(create(*files, "/a/base")->Sync().ok());
    create(*files, "/a/1");
    create(*files, "/a/2");
    REQUIRE(files->native().RenameFile("/a/1", "/a/3").ok());
    REQUIRE(files->native().RemoveFile("/a/2").ok());
    disk.crash_power([&] { return kept; });
    auto names = disk.files();
    using list = std::vector<std::string>;
    std::vector<list> expected{{"/a/base"},
                               {"/a/1", "/a/base"},
                               {"/a/1", "/a/2", "/a/base"},
                               {"/a/2", "/a/3", "/a/base"},
                               {"/a/3", "/a/base"},
                               {"/a/base"}};
    // Five outcomes: none, or up to each of four operations.
    CHECK(names == expected[kept]);
  }
}

TEST_CASE("the sync of a file makes its name and those before it durable") {
  file_env disk;
  auto files = disk.current();
  REQUIRE(make_directories(*files, "/a"));
  create(*files, "/a/before");
  auto file = create(*files, "/a/x");
  create(*files, "/a/after");
  REQUIRE(file->Append("x").ok());
  REQUIRE(file->Sync().ok());
  SECTION("only those") {
    disk.crash_power(nothing);
    CHECK(disk.files() == std::vector<std::string>{"/a/before", "/a/x"});
  }
  SECTION("all of the directory with a MANIFEST") {
    REQUIRE(create(*files, "/a/MANIFEST-000001")->Sync().ok());
    disk.crash_power(nothing);
    CHECK(disk.files().size() == 4);
  }
}

TEST_CASE("a directory is renamed with what is in it") {
  file_env disk;
  auto files = disk.current();
  REQUIRE(make_directories(*files, "/a/db/sub"));
  REQUIRE(create(*files, "/a/db/x")->Sync().ok());
  REQUIRE(create(*files, "/a/db2")->Sync().ok());
  REQUIRE(files->native().RenameFile("/a/db", "/a/db.corrupt-1").ok());
  CHECK(disk.files() ==
        std::vector<std::string>{"/a/db.corrupt-1/x", "/a/db2"});
  CHECK(files->native().FileExists("/a/db.corrupt-1/sub"));
  CHECK_FALSE(files->native().FileExists("/a/db"));
  CHECK_FALSE(files->native().RemoveDir("/a/db.corrupt-1").ok());
}

TEST_CASE("an injected fault hits the operation with its number") {
  file_env disk;
  auto files = disk.current();
  REQUIRE(make_directories(*files, "/a"));
  auto file = create(*files, "/a/x");
  REQUIRE(file->Append("0123456789").ok());
  auto next = disk.operations() + 1;
  SECTION("no space: half of it is written") {
    disk.inject(next, file_fault::no_space);
    auto status = file->Flush();
    CHECK(status.IsIOError());
    CHECK(status.ToString().find("No space") != std::string::npos);
    CHECK(disk.contents("/a/x") == "01234");
    REQUIRE(file->Append("x").ok());
    CHECK(file->Flush().ok());
    CHECK_FALSE(disk.crashed());
  }
  SECTION("a crash: everything later fails") {
    disk.inject(next + 1, file_fault::crash);
    CHECK(file->Flush().ok());
    CHECK_FALSE(file->Sync().ok());
    CHECK(disk.crashed());
    CHECK_FALSE(files->native().CreateDir("/b").ok());
    disk.crash_process();
    CHECK_FALSE(disk.crashed());
    CHECK(disk.current()->native().CreateDir("/b").ok());
    CHECK(disk.contents("/a/x") == "0123456789");
  }
  SECTION("a full disk") {
    disk.set_full(true);
    CHECK_FALSE(file->Flush().ok());
    CHECK_FALSE(files->native().CreateDir("/b").ok());
    CHECK(files->native().RemoveFile("/a/x").ok());
    disk.set_full(false);
    CHECK(files->native().CreateDir("/b").ok());
  }
}

// -- LevelDB on it
// ------------------------------------------------------------------

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
    REQUIRE(again);
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

// -- damage
// ---------------------------------------------------------------------

/// A database of some tables, and the paths of its files with that end.
std::vector<std::string> fill(file_env& disk, const std::string& end) {
  auto store = leveldb_backend::open("/db", small(disk.current()));
  REQUIRE(store);
  for (int i = 1; i <= 3000; ++i)
    REQUIRE(put(**store, i));
  store->reset();
  std::vector<std::string> out;
  for (auto& path : disk.files())
    if (path.find(end) != std::string::npos)
      out.push_back(path);
  REQUIRE_FALSE(out.empty());
  return out;
}

TEST_CASE("I14: a flipped byte in a table is detected, never served") {
  file_env disk;
  auto path = fill(disk, ".ldb").front();
  auto bytes = *disk.contents(path);
  auto expected = state_after(3000);
  int detected = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 13) {
    auto damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    disk.set_contents(path, damaged);
    auto store = leveldb_backend::open("/db", small(disk.current()));
    if (!store) {
      CHECK(store.error().code() == ec::corruption);
      ++detected;
      continue;
    }
    test::state_map seen;
    auto scanned =
        (*store)->scan(state_begin(), state_end(), [&](auto k, auto v) {
          seen.emplace(k, v);
          return true;
        });
    if (!scanned) {
      CHECK(scanned.error().code() == ec::corruption);
      ++detected;
    } else {
      CHECK(seen == expected);
    }
    store->reset();
    disk.crash_process();
  }
  CHECK(detected > 100);
}

TEST_CASE("I14: a missing file is corruption, not an empty database") {
  file_env disk;
  std::string victim;
  SECTION("a table") {
    victim = fill(disk, ".ldb").front();
  }
  SECTION("the manifest") {
    victim = fill(disk, "MANIFEST").front();
  }
  SECTION("CURRENT") {
    victim = fill(disk, "CURRENT").front();
  }
  REQUIRE(disk.current()->native().RemoveFile(victim).ok());
  auto store = leveldb_backend::open("/db", small(disk.current()));
  REQUIRE_FALSE(store);
  CHECK(store.error().code() == ec::corruption);
}

TEST_CASE("I14: a table that goes missing while the database is open is not a "
          "missing key") {
  file_env disk;
  // So many tables that opening does not touch all of them.
  constexpr int keys = 20'000;
  {
    auto store = leveldb_backend::open("/db", small(disk.current()));
    REQUIRE(store);
    std::mt19937_64 random{1};
    for (int i = 0; i < keys; ++i) {
      change_batch batch;
      batch.put(key(std::to_string(i)), std::to_string(random()));
      REQUIRE((*store)->write(batch, false));
    }
  }
  auto store = leveldb_backend::open("/db", small(disk.current()));
  REQUIRE(store);
  for (auto& path : disk.files())
    if (path.ends_with(".ldb"))
      REQUIRE(disk.current()->native().RemoveFile(path).ok());
  int refused = 0;
  for (int i = 0; i < keys; ++i) {
    std::string value;
    auto found = (*store)->get(key(std::to_string(i)), value);
    if (found)
      CHECK(*found);
    else
      CHECK(found.error().code() == ec::corruption);
    refused += !found;
  }
  CHECK(refused > 0);
}

// -- the real one
// -----------------------------------------------------------------

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
