#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "runtime/leveldb/database.hpp"
#include "runtime/leveldb/environment.hpp"
#include "test/conformance/embedded_fixture.hpp"
#include "test/conformance/stream_tools.hpp"
#include "test/servers/child_process.hpp"
#include "test/unit/runtime/embedded/log/faulty_env.hpp"

namespace weir::test {

namespace {

using contents = std::map<std::string, std::string>;

struct database_rig {
  temporary_directory place;
  std::shared_ptr<outside_world> world = make_outside_world();
  embedded_options options;

  database_rig() { options.directory = place.path() + "/a/b"; }

  result<std::shared_ptr<embedded_database>> open() {
    return open_embedded(options, *world);
  }
};

result<void> put(embedded_database& database, const std::string& key,
                 const std::string& value) {
  embedded_batch batch;
  batch.put(key, value);
  return database.write(batch);
}

contents all_of(embedded_database& database, const std::string& prefix) {
  contents out;
  must(database.scan_prefix(prefix,
                            [&](std::string_view key, std::string_view value) {
                              out.emplace(key, value);
                              return true;
                            }));
  return out;
}

} // namespace

TEST_CASE("embedded database: batches, gets and scans") {
  database_rig rig;
  auto database = must(rig.open());
  embedded_batch batch;
  CHECK(batch.empty());
  batch.put("xa", "1");
  batch.put("xb", "2");
  batch.put("xb", "3");
  batch.put("ya", "4");
  batch.put("xc", "5");
  batch.erase("xc");
  CHECK(batch.changes() == 6);
  must(database->write(batch));
  std::string value;
  CHECK(must(database->get("xb", value)));
  CHECK(value == "3");
  CHECK_FALSE(must(database->get("xc", value)));
  CHECK(all_of(*database, "x") == contents{{"xa", "1"}, {"xb", "3"}});
  contents found;
  must(database->scan("xb", "", [&](std::string_view k, std::string_view v) {
    found.emplace(k, v);
    return found.size() < 2;
  }));
  CHECK(found == contents{{"xb", "3"}, {"ya", "4"}});
  database.reset();
  database = must(rig.open());
  CHECK(all_of(*database, "x") == contents{{"xa", "1"}, {"xb", "3"}});
}

TEST_CASE("embedded database: the end of a prefix") {
  CHECK(prefix_end("ab") == "ac");
  CHECK(prefix_end("a\xff") == "b");
  CHECK(prefix_end("\xff\xff").empty());
  CHECK(prefix_end("").empty());
}

TEST_CASE("embedded database: only its user may look into the directory") {
  database_rig rig;
  auto database = must(rig.open());
  struct stat found {};
  REQUIRE(::stat(database->directory().c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
}

TEST_CASE("embedded database: every write is synced") {
  faulty_env env;
  database_rig rig;
  rig.options.env = &env;
  auto database = must(rig.open());
  auto before = env.syncs.load();
  for (int i = 0; i < 5; ++i)
    must(put(*database, "k", std::to_string(i)));
  CHECK(env.syncs - before == 5);
}

TEST_CASE("embedded database: one process has a directory, and is named") {
  database_rig rig;
  auto database = must(rig.open());
  auto second = rig.open();
  REQUIRE(error_of(second) == ec::locked);
  CHECK(second.error().text().find("this process (" +
                                   std::to_string(::getpid()) + ")") !=
        std::string::npos);
  database.reset();
  CHECK(rig.open().has_value());
}

TEST_CASE("embedded database: another process is named, until it is dead") {
  database_rig rig;
  child_process other{{WEIR_HOLD_DIRECTORY, rig.options.directory}};
  REQUIRE(other.wait_for_output("holding", patience));
  auto refused = rig.open();
  REQUIRE(error_of(refused) == ec::locked);
  CHECK(refused.error().text().find("process " + std::to_string(other.pid())) !=
        std::string::npos);
  other.kill();
  REQUIRE(other.wait_for_exit(patience));
  auto database = must(rig.open());
  // The dead one's file does not mislead a third.
  auto third = rig.open();
  CHECK(third.error().text().find(std::to_string(::getpid())) !=
        std::string::npos);
}

TEST_CASE("embedded database: a failed write closes it for good") {
  faulty_env env;
  database_rig rig;
  rig.options.env = &env;
  auto database = must(rig.open());
  must(put(*database, "a", "acknowledged"));
  env.full = true;
  CHECK(error_of(put(*database, "b", "lost")) == ec::io_error);
  env.full = false;
  // There is room again, but what LevelDB would write now could be lost.
  auto later = put(*database, "c", "refused");
  REQUIRE(error_of(later) == ec::closed);
  CHECK(later.error().text().find("the disk is full") != std::string::npos);
  std::string value;
  CHECK(error_of(database->get("a", value)) == ec::closed);
  CHECK(error_of(database->scan_prefix("", [](auto, auto) { return true; })) ==
        ec::closed);
  // The directory is still ours until we let it go.
  CHECK(error_of(rig.open()) == ec::locked);
  database.reset();
  database = must(rig.open());
  CHECK(must(database->get("a", value)));
  CHECK(value == "acknowledged");
  CHECK_FALSE(must(database->get("c", value)));
}

TEST_CASE("embedded database: an Env without threads") {
  faulty_env env;
  env.queue_jobs = true;
  database_rig rig;
  rig.options.env = &env;
  rig.options.run_background = [&] { env.run_jobs(); };
  rig.options.write_buffer_bytes = 64 << 10;
  auto database = must(rig.open());
  std::string large(1000, 'x');
  for (int i = 0; i < 2000; ++i)
    must(put(*database, "k" + std::to_string(i % 500), large));
  CHECK(env.jobs_run > 5);
  CHECK(all_of(*database, "k").size() == 500);
  database.reset();
  CHECK(all_of(*must(rig.open()), "k").size() == 500);
}

TEST_CASE(
    "embedded database: without its file CURRENT it is refused as it is") {
  database_rig rig;
  must(put(*must(rig.open()), "a", "1"));
  namespace fs = std::filesystem;
  auto place = fs::path{rig.options.directory} / "db";
  auto away = fs::path{rig.place.path()} / "CURRENT";
  fs::rename(place / "CURRENT", away);
  auto files = [&] {
    std::map<std::string, std::uintmax_t> out;
    for (auto& each : fs::directory_iterator{place})
      out[each.path().filename()] = each.file_size();
    return out;
  };
  auto before = files();
  auto refused = rig.open();
  REQUIRE(error_of(refused) == ec::corruption);
  for (auto word : {rig.options.directory.c_str(), "CURRENT", "backup"})
    CHECK(refused.error().text().find(word) != std::string::npos);
  CHECK(files() == before);
  fs::rename(away, place / "CURRENT");
  CHECK(all_of(*must(rig.open()), "a") == contents{{"a", "1"}});
}

TEST_CASE("embedded database: damage is refused, saying what to do") {
  namespace fs = std::filesystem;
  auto files = make_posix_environment();
  database_rig rig;
  rig.options.env = &files->native();
  must(put(*must(rig.open()), "a", std::string(5000, 'x')));
  // Opened again: what was in the log is in a table.
  must(put(*must(rig.open()), "b", std::string(5000, 'x')));
  auto file = [&](const std::string& part) {
    for (auto& each : fs::directory_iterator{rig.options.directory + "/db"})
      if (each.path().filename().string().find(part) != std::string::npos)
        return each.path();
    throw std::runtime_error{"no file " + part};
  };
  SECTION("a table that is cut") {
    auto path = file(".ldb");
    fs::resize_file(path, fs::file_size(path) - 1);
  }
  SECTION("a table that is empty") {
    fs::resize_file(file(".ldb"), 0);
  }
  SECTION("no table") {
    fs::remove(file(".ldb"));
  }
  SECTION("no log") {
    fs::remove(file(".log"));
  }
  SECTION("a changed byte in the log") {
    std::fstream log{file(".log"), std::ios::in | std::ios::out};
    log.seekp(2000);
    log.put('!');
  }
  SECTION("no MANIFEST") {
    fs::remove(file("MANIFEST"));
  }
  SECTION("a MANIFEST that is cut") {
    auto path = file("MANIFEST");
    fs::resize_file(path, fs::file_size(path) - 1);
  }
  auto opened = rig.open();
  std::string value;
  auto found =
      opened ? (*opened)->get("a", value) : result<bool>{fail(opened.error())};
  REQUIRE(error_of(found) == ec::corruption);
  INFO(found.error().text());
  for (auto word : {rig.options.directory.c_str(), "backup", "another one"})
    CHECK(found.error().text().find(word) != std::string::npos);
}

namespace {

/// Answers a lock like LevelDB's own Env where the system refuses something.
struct lockless_env final : leveldb::EnvWrapper {
  leveldb::Status answer;
  explicit lockless_env(leveldb::Status x)
      : EnvWrapper(leveldb::Env::Default()), answer(std::move(x)) {}
  leveldb::Status LockFile(const std::string&, leveldb::FileLock**) override {
    return answer;
  }
};

} // namespace

TEST_CASE("embedded database: only a lock that is held is somebody else's") {
  using leveldb::Status;
  database_rig rig;
  auto lock = rig.options.directory + "/OWNER.lock";
  auto open_with = [&](Status answer) {
    lockless_env env{std::move(answer)};
    rig.options.env = &env;
    return rig.open();
  };
  for (auto number : {EAGAIN, EACCES})
    CHECK(error_of(open_with(Status::IOError(
              "lock " + lock, std::strerror(number)))) == ec::locked);
  for (auto& answer : {Status::IOError("lock " + lock, std::strerror(ENOLCK)),
                       Status::IOError(lock, std::strerror(EACCES)),
                       Status::IOError(lock, std::strerror(ENOTDIR)),
                       Status::NotFound(lock, std::strerror(ENOENT))}) {
    auto refused = open_with(answer);
    REQUIRE(error_of(refused) == ec::io_error);
    CHECK(refused.error().text().starts_with("cannot lock '" + lock));
    CHECK(refused.error().text().find("in use") == std::string::npos);
  }
}

TEST_CASE("embedded database: a directory in the lock's place is no lock") {
  database_rig rig;
  std::filesystem::create_directories(rig.options.directory + "/OWNER.lock");
  auto refused = rig.open();
  REQUIRE(error_of(refused) == ec::io_error);
  CHECK(refused.error().text().starts_with("cannot lock '"));
}

TEST_CASE("embedded database: another format is refused") {
  database_rig rig;
  auto database = must(rig.open());
  must(put(*database, "dformat", "2"));
  database.reset();
  auto refused = rig.open();
  REQUIRE(error_of(refused) == ec::bad_format);
  CHECK(refused.error().text().find("format 2") != std::string::npos);
}

TEST_CASE("embedded database: a directory that cannot be made is named") {
  database_rig rig;
  rig.options.directory = "/proc/nowhere/data";
  auto refused = rig.open();
  REQUIRE(error_of(refused) == ec::io_error);
  CHECK(refused.error().text().find("/proc/nowhere/data") != std::string::npos);
  rig.options.directory.clear();
  CHECK(error_of(rig.open()) == ec::bad_argument);
}

} // namespace weir::test
