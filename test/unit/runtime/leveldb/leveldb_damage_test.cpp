// I14: damage is detected, never served.
#include <catch2/catch.hpp>

#include <random>

#include <leveldb/env.h>

#include "test/unit/runtime/leveldb/leveldb_support.hpp"

namespace weir {
namespace {

using test::key;
using test::put;
using test::small;
using test::state_after;

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
      CHECK(store.error().code() == ec::damaged);
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
      CHECK(scanned.error().code() == ec::damaged);
      ++detected;
    } else {
      CHECK(seen == expected);
    }
    store->reset();
    disk.crash_process();
  }
  CHECK(detected > 100);
}

TEST_CASE("I14: a flipped byte within a log is detected, not skipped") {
  file_env disk;
  {
    auto store = leveldb_backend::open("/db", small(disk.current()));
    REQUIRE(store);
    for (int i = 1; i <= 300; ++i)
      REQUIRE(put(**store, i));
    disk.crash_process();
  }
  for (auto& path : disk.files()) {
    if (!path.ends_with(".log"))
      continue;
    auto bytes = *disk.contents(path);
    REQUIRE(bytes.size() > 20'000);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    disk.set_contents(path, bytes);
  }
  auto store = leveldb_backend::open("/db", small(disk.current()));
  REQUIRE_FALSE(store);
  CHECK(store.error().code() == ec::damaged);
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
  CHECK(store.error().code() == ec::damaged);
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
      CHECK(found.error().code() == ec::damaged);
    refused += !found;
  }
  CHECK(refused > 0);
}

} // namespace
} // namespace weir
