#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <random>
#include <set>

#include <leveldb/env.h>

#include "test/driver/file_env.hpp"

namespace weir {
namespace {

std::function<std::uint64_t()> dice(std::uint64_t seed) {
  return [engine = std::mt19937_64{seed}]() mutable { return engine(); };
}

/// Only what is synced survives.
std::uint64_t nothing() {
  return 0;
}

using writable = std::unique_ptr<leveldb::WritableFile>;

writable create(environment& files, const std::string& path) {
  leveldb::WritableFile* file = nullptr;
  REQUIRE(files.native().NewWritableFile(path, &file).ok());
  return writable{file};
}

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

} // namespace
} // namespace weir
