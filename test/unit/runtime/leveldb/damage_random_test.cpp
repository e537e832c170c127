// I14 at random: whatever happens to one file of a database, opening and
// reading it ends in the state of a commit or in an error that stands for
// damage, never in another state or another error.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include <leveldb/env.h>

#include "test/temporary_directory.hpp"
#include "test/unit/runtime/leveldb/leveldb_support.hpp"
#include "test/unit/stores/machine_support.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

using test::the_history;

enum class harm { cut, flip, remove };

/// The bytes of a file after the harm; none = the file is gone.
std::optional<std::string> harmed(std::string bytes, harm what,
                                  std::mt19937_64& random) {
  if (what == harm::remove)
    return std::nullopt;
  if (bytes.empty())
    return bytes;
  auto at = random() % bytes.size();
  if (what == harm::cut)
    bytes.resize(at);
  else
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
  return bytes;
}

/// "ldb" of "000005.ldb", "MANIFEST" of "MANIFEST-000004".
std::string kind_of(const fs::path& path) {
  auto name = path.filename().string();
  auto dot = name.rfind('.');
  return dot != std::string::npos ? name.substr(dot + 1)
                                  : name.substr(0, name.find('-'));
}

/// How often each kind of file came to each end.
struct tally {
  std::map<std::string, int> intact;
  std::map<std::string, int> refused;
};

// -- on the real file system, whose errors are not those of one in memory

std::string read_file(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write_file(const fs::path& path, const std::optional<std::string>& bytes) {
  if (!bytes) {
    fs::remove(path);
    return;
  }
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  out << *bytes;
}

/// A task's directory with tables and a log, closed or left as by a kill.
struct task_on_disk {
  test::temporary_directory place;
  std::shared_ptr<environment> files = make_posix_environment();
  file_env clock_only;
  std::shared_ptr<test::disk_world> world =
      std::make_shared<test::disk_world>(clock_only);
  test::collected_log log;
  std::map<fs::path, std::string> pristine;

  explicit task_on_disk(bool closed) {
    auto database = must_open();
    REQUIRE(database->use());
    for (std::size_t n = 1; n <= 60; ++n)
      REQUIRE(the_history().apply(database->store(), n));
    if (closed)
      REQUIRE(database->close());
    database.reset();
    for (auto& each : fs::directory_iterator{task() / "db"})
      pristine[each.path()] = read_file(each.path());
  }

  fs::path task() const { return fs::path{place.path()} / "job" / "0"; }

  result<std::unique_ptr<task_database>> open() {
    task_database_options options;
    options.directory = task().string();
    options.generation = test::generation;
    options.database = test::small(files);
    return task_database::open(options, world);
  }
  std::unique_ptr<task_database> must_open() {
    auto opened = open();
    REQUIRE(opened);
    return std::move(*opened);
  }

  void bring_back() {
    fs::remove_all(task());
    fs::create_directories(task() / "db");
    for (auto& [path, bytes] : pristine)
      write_file(path, bytes);
    log.lines.clear();
  }
};

/// Whether the database is at a commit and has exactly its state; otherwise it
/// must have been found damaged.
bool is_intact(task_on_disk& on) {
  auto opened = on.open();
  if (!opened) {
    FAIL("opening: " << to_string(opened.error()));
    return false;
  }
  auto& database = **opened;
  if (on.log.count("store.quarantined") > 0) {
    CHECK(database.verdict() == database_verdict::empty);
    return false;
  }
  test::state_map seen;
  auto scanned = database.store().scan(state_begin(), state_end(),
                                       [&](auto key, auto value) {
                                         seen.emplace(key, value);
                                         return true;
                                       });
  if (!scanned) {
    CHECK(scanned.error().code() == ec::damaged);
    return false;
  }
  auto& commit = database.metadata().commit;
  auto n = commit ? static_cast<std::size_t>(commit->by.sequence) : 0;
  CHECK(seen == (n == 0 ? test::state_map{} : the_history().past(n).state));
  // What was read must hold for what is written, too.
  if (n == 60 && database.use())
    CHECK(the_history().apply(database.store(), n));
  return true;
}

TEST_CASE("I14: a task's database with a file cut, changed or removed at "
          "random is whole or found damaged") {
  for (bool closed : {false, true}) {
    task_on_disk on{closed};
    std::mt19937_64 random{closed ? 1u : 2u};
    tally seen;
    for (int round = 0; round < 8; ++round)
      for (auto& [path, bytes] : on.pristine)
        for (auto what : {harm::cut, harm::flip, harm::remove}) {
          on.bring_back();
          write_file(path, harmed(bytes, what, random));
          INFO("closed " << closed << " round " << round << " file "
                         << path.filename() << " harm "
                         << static_cast<int>(what));
          auto intact = is_intact(on);
          auto kind = kind_of(path);
          ++(intact ? seen.intact : seen.refused)[kind];
          // The last of two logs may go (an older state, but a whole one), and
          // a table that a close kept from being named.
          if (what == harm::remove && (kind == "MANIFEST" || kind == "CURRENT"))
            CHECK_FALSE(intact);
        }
    for (auto kind : {"ldb", "log", "MANIFEST", "CURRENT"}) {
      INFO(kind);
      CHECK(seen.refused[kind] > 5);
    }
    CHECK(seen.refused["LOCK"] == 0);
  }
}

// -- in memory, where a crash leaves every state that LevelDB can be in

TEST_CASE("I14: the same at every crash of the process, when two logs or a "
          "table nobody names can be there") {
  tally seen;
  int cut_between_logs = 0;
  for (std::uint64_t at = 1;; ++at) {
    file_env disk;
    disk.inject(at, file_fault::crash);
    int acknowledged = 0;
    if (auto store = leveldb_backend::open("/db", test::small(disk.current())))
      while (acknowledged < 60 &&
             test::put(**store, acknowledged + 1, false, 5000))
        ++acknowledged;
    if (!disk.crashed())
      break;
    std::mt19937_64 random{at};
    std::map<std::string, std::string> pristine;
    for (auto& path : disk.files())
      pristine[path] = *disk.contents(path);
    for (auto& [path, bytes] : pristine)
      for (auto what : {harm::cut, harm::flip, harm::remove}) {
        file_env copy;
        auto files = copy.current();
        REQUIRE(make_directories(*files, "/db"));
        for (auto& [name, content] : pristine)
          if (auto left = name == path ? harmed(content, what, random)
                                       : std::optional{content})
            copy.set_contents(name, *left);
        INFO("operation " << at << " file " << path << " harm "
                          << static_cast<int>(what));
        auto kind = kind_of(path);
        auto store = leveldb_backend::open("/db", test::small(files));
        if (!store) {
          CHECK(store.error().code() == ec::damaged);
          cut_between_logs +=
              store.error().text().find(".log is cut") != std::string::npos;
          ++seen.refused[kind];
          continue;
        }
        test::state_map state;
        auto scanned = (*store)->scan(state_begin(), state_end(),
                                      [&](auto key, auto value) {
                                        state.emplace(key, value);
                                        return true;
                                      });
        if (!scanned) {
          CHECK(scanned.error().code() == ec::damaged);
          ++seen.refused[kind];
          continue;
        }
        ++seen.intact[kind];
        auto number = state.find(test::key("last"));
        auto there = number == state.end() ? 0 : std::stoi(number->second);
        CHECK(there <= acknowledged + 1);
        CHECK((state == test::state_after(there, 5000)));
      }
  }
  CHECK(cut_between_logs > 0);
  for (auto kind : {"ldb", "log", "MANIFEST", "CURRENT"})
    CHECK(seen.refused[kind] > 0);
}

} // namespace
} // namespace weir
