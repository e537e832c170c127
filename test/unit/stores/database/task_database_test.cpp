#include <catch2/catch.hpp>

#include <filesystem>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <leveldb/env.h>

#include "stores/database/task_database.hpp"
#include "test/temporary_directory.hpp"
#include "test/unit/stores/machine_support.hpp"

namespace weir {
namespace {

using test::contents;
using test::directory;
using test::machine;
using test::prepare;
using test::the_history;

// -- verdicts

TEST_CASE("a new directory holds an empty database") {
  machine m;
  auto database = m.open();
  REQUIRE(database);
  CHECK((*database)->verdict() == database_verdict::empty);
  CHECK_FALSE((*database)->metadata().commit);
  CHECK((*database)->metadata().generation.empty());
}

TEST_CASE("the same boot makes a database usable, closed or not") {
  for (bool closed : {false, true}) {
    machine m;
    prepare(m, 3, closed);
    if (!closed)
      m.disk.crash_process();
    auto database = m.open();
    REQUIRE(database);
    CHECK((*database)->verdict() == database_verdict::usable);
    CHECK((*database)->metadata().closed_cleanly == closed);
    CHECK(the_history().check(**database) == 3);
  }
}

TEST_CASE("a clean close makes a database usable after a crash of the "
          "machine") {
  machine m;
  prepare(m, 40, true);
  m.disk.crash_power([] { return std::uint64_t{0}; });
  auto database = m.open();
  REQUIRE(database);
  CHECK((*database)->verdict() == database_verdict::usable);
  CHECK(the_history().check(**database) == 40);
}

TEST_CASE("another boot without a clean close makes it untrusted") {
  machine m;
  prepare(m, 40, true);
  {
    auto database = m.open();
    REQUIRE((*database)->use());
  }
  m.disk.crash_power([] { return std::uint64_t{0}; });
  auto database = m.open();
  REQUIRE(database);
  CHECK((*database)->verdict() == database_verdict::untrusted);
  CHECK((*database)->reason().find("restarted") != std::string::npos);
  REQUIRE((*database)->rebuild());
  CHECK((*database)->verdict() == database_verdict::empty);
  CHECK(contents((*database)->store()).empty());
  CHECK(m.log.count("store.rebuilt") == 1);
  for (auto& path : m.disk.files())
    CHECK(path.find(".removed") == std::string::npos);
}

TEST_CASE("reading without use leaves the clean mark alone") {
  machine m;
  prepare(m, 3, true);
  {
    auto database = m.open();
    REQUIRE(database);
    CHECK(contents((*database)->store()) == the_history().past(3).state);
    REQUIRE((*database)->close());
  }
  m.disk.crash_power([] { return std::uint64_t{0}; });
  auto database = m.open();
  REQUIRE(database);
  CHECK((*database)->verdict() == database_verdict::usable);
}

TEST_CASE("R6: a database with the restoring mark is not usable") {
  machine m;
  prepare(m, 3, false);
  m.disk.crash_process();
  {
    auto database = m.open();
    REQUIRE((*database)->use());
    change_batch mark;
    mark.put(metadata_key::restoring, encode_restoring(m.world->now_ms));
    REQUIRE((*database)->store().write(mark, false));
  }
  m.disk.crash_process();
  SECTION("it can be continued") {
    auto database = m.open();
    REQUIRE(database);
    CHECK((*database)->verdict() == database_verdict::unfinished);
    REQUIRE((*database)->use());
    REQUIRE(test::restore((*database)->store(), the_history().log()));
    REQUIRE((*database)->close());
    auto again = m.open();
    CHECK((*again)->verdict() == database_verdict::usable);
    CHECK(the_history().check(**again) == 60);
  }
  SECTION("not for ever") {
    m.world->now_ms += 84LL * 3600 * 1000 + 1;
    CHECK((*m.open())->verdict() == database_verdict::too_old);
  }
}

TEST_CASE("R9: a database older than half of delete.retention.ms is too old") {
  machine m;
  prepare(m, 3, true);
  auto committed = the_history().past(3).record.wall_clock_ms;
  m.world->now_ms = committed + 84LL * 3600 * 1000;
  {
    auto database = m.open();
    REQUIRE(database);
    CHECK((*database)->verdict() == database_verdict::usable);
  }
  ++m.world->now_ms;
  auto database = m.open();
  REQUIRE(database);
  CHECK((*database)->verdict() == database_verdict::too_old);
}

TEST_CASE("a database of another generation is an error that names both") {
  machine m;
  prepare(m, 3, true);
  auto options = m.options();
  options.generation = "another-generation";
  auto database = task_database::open(options, m.world);
  REQUIRE_FALSE(database);
  CHECK(database.error().code() == ec::corruption);
  CHECK(database.error().text().find(test::generation) != std::string::npos);
  CHECK(database.error().text().find("another-generation") !=
        std::string::npos);
  // What to remove: not the data directory, which has more than databases.
  CHECK(database.error().text().find("the directory '/data/job',") !=
        std::string::npos);
}

// -- locks

TEST_CASE("a task's directory that is a file is no lock of somebody else") {
  test::temporary_directory place;
  machine m;
  auto options = m.options();
  options.directory = place.path() + "/0";
  options.database.files = make_posix_environment();
  REQUIRE(leveldb::WriteStringToFile(&options.database.files->native(), "?",
                                     options.directory)
              .ok());
  auto refused = task_database::open(options, m.world);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ec::io_error);
  CHECK(refused.error().text().find("cannot lock '" + options.directory) !=
        std::string::npos);
}

TEST_CASE("a database that this process holds already is locked") {
  machine m;
  auto first = m.open();
  REQUIRE(first);
  auto second = m.open();
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == ec::locked);
  CHECK(second.error().text().find("4711") != std::string::npos);
  REQUIRE((*first)->close());
  CHECK(m.open());
}

TEST_CASE("a database that another process holds is locked, naming it") {
  auto root = std::filesystem::temp_directory_path() /
              fmt::format("weir-lock-{}", ::getpid());
  auto task = (root / "job" / "0").string();
  std::filesystem::create_directories(task);
  auto lock = task + "/OWNER.lock";
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  auto child = ::fork();
  if (child == 0) {
    // Only what may be called between fork and exec.
    auto fd = ::open(lock.c_str(), O_RDWR | O_CREAT, 0600);
    struct flock all {};
    all.l_type = F_WRLCK;
    all.l_whence = SEEK_SET;
    if (::fcntl(fd, F_SETLK, &all) != 0 || ::write(ready[1], "x", 1) != 1)
      ::_exit(1);
    for (;;)
      ::pause();
  }
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  auto world = make_outside_world();
  task_database_options options;
  options.directory = task;
  options.generation = test::generation;
  options.database.files = make_posix_environment();
  auto owner = fmt::format("{} {} {} {}\n", child, world->process_start(child),
                           world->boot_id(), world->host_name());
  REQUIRE(leveldb::WriteStringToFile(&options.database.files->native(), owner,
                                     task + "/OWNER")
              .ok());
  auto refused = task_database::open(options, world);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ec::locked);
  CHECK(refused.error().text().find(std::to_string(child)) !=
        std::string::npos);
  // The operating system gave the lock back with the process.
  auto database = task_database::open(options, world);
  REQUIRE(database);
  REQUIRE((*database)->use());
  REQUIRE((*database)->close());
  database->reset();
  std::filesystem::remove_all(root);
}

// -- damage

TEST_CASE("a damaged database is set aside, never repaired") {
  machine m;
  for (int round = 1; round <= 2; ++round) {
    prepare(m, 40, true);
    std::string manifest;
    for (auto& path : m.disk.files())
      if (path.find("/db/MANIFEST") != std::string::npos)
        manifest = path;
    auto bytes = *m.disk.contents(manifest);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    m.disk.set_contents(manifest, bytes);
    auto database = m.open();
    REQUIRE(database);
    CHECK((*database)->verdict() == database_verdict::empty);
    CHECK(contents((*database)->store()).empty());
    CHECK(m.log.count("store.quarantined") == round);
    // Kept for a person to look at.
    auto kept = fmt::format("{}/db.corrupt-{}/CURRENT", directory, round);
    CHECK(m.disk.contents(kept));
  }
}

TEST_CASE("damage that a compaction meets is set aside at the close") {
  machine m;
  auto write = [](task_database& to, const std::string& key,
                  std::size_t bytes) {
    change_batch batch;
    batch.put(key, std::string(bytes, 'v'));
    return to.store().write(batch, false);
  };
  // The next opening makes a table of each of these.
  for (int i = 0; i < 3; ++i) {
    auto database = m.open();
    REQUIRE((*database)->use());
    for (auto key : {"\1a", "\1b", "\1c"})
      REQUIRE(write(**database, key, 10'000));
    REQUIRE((*database)->close());
  }
  auto database = m.open();
  REQUIRE((*database)->use());
  for (auto& path : m.disk.files())
    if (path.ends_with(".ldb")) {
      auto bytes = *m.disk.contents(path);
      for (auto& each : bytes)
        each = static_cast<char>(each ^ 1);
      m.disk.set_contents(path, bytes);
    }
  // The second finds the memory full: it becomes one table more.
  REQUIRE(write(**database, "\1b", 70'000));
  REQUIRE(write(**database, "\1b", 1));
  auto closed = (*database)->close();
  REQUIRE_FALSE(closed);
  CHECK(closed.error().code() == ec::damaged);
  CHECK(m.log.count("store.quarantined") == 1);
  CHECK(m.disk.contents(directory + "/db.corrupt-1/CURRENT"));
  auto next = m.open();
  REQUIRE(next);
  CHECK((*next)->verdict() == database_verdict::empty);
}

TEST_CASE("a rebuild can keep what was there") {
  machine m;
  prepare(m, 3, true);
  auto database = m.open();
  REQUIRE((*database)->rebuild(error{ec::offset_out_of_range, "records lost"}));
  CHECK((*database)->verdict() == database_verdict::empty);
  CHECK(m.disk.contents(directory + "/db.corrupt-1/CURRENT"));
  REQUIRE((*database)->rebuild());
  CHECK_FALSE(m.disk.contents(directory + "/db.corrupt-2/CURRENT"));
}

TEST_CASE("metadata that does not decode counts as damage") {
  machine m;
  prepare(m, 3, false);
  m.disk.crash_process();
  {
    auto database = m.open();
    change_batch damage;
    damage.put(commit_key, "?");
    REQUIRE((*database)->store().write(damage, false));
  }
  auto database = m.open();
  REQUIRE(database);
  CHECK((*database)->verdict() == database_verdict::empty);
  CHECK(m.log.count("store.quarantined") == 1);
}

TEST_CASE("a full disk is an error, and not taken for damage") {
  machine m;
  prepare(m, 3, true);
  m.disk.set_full(true);
  auto database = m.open();
  REQUIRE_FALSE(database);
  CHECK(database.error().code() == ec::io_error);
  m.disk.set_full(false);
  database = m.open();
  REQUIRE(database);
  CHECK(the_history().check(**database) == 3);
}

} // namespace
} // namespace weir
