#include <catch2/catch.hpp>

#include <filesystem>
#include <random>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <leveldb/env.h>

#include "stores/file_env.hpp"
#include "stores/task_database.hpp"
#include "stores_changelog_support.hpp"
#include "stores_log_support.hpp"

namespace weir {
namespace {

using test::changes;
using test::contents;
using test::key;

const std::string directory = "/data/job/0";

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
  test::collected_log log;

  task_database_options options() const {
    task_database_options out;
    out.directory = directory;
    out.generation = test::generation;
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
    auto& facts = database.facts();
    if (!facts.commit) {
      CHECK(contents(database.store()).empty());
      return 0;
    }
    auto n = static_cast<std::size_t>(facts.commit->by.sequence);
    CHECK(*facts.commit == past(n).record);
    CHECK(facts.position->offset == past(n).position);
    CHECK(contents(database.store()) == past(n).state);
    CHECK(verify(database.store(), facts.commit));
    return n;
  }

  const test::owner::past_commit& past(std::size_t n) const {
    return owner_.history.at(n - 1);
  }
  const test::changelog& changelog() const { return log_; }

private:
  test::changelog log_;
  test::owner owner_;
  std::vector<changes> changes_;
};

const history& the_history() {
  static const history x;
  return x;
}

/// A database in use with `commits` commits, closed or not.
void prepare(machine& on, std::size_t commits, bool close) {
  auto database = on.open();
  REQUIRE(database);
  REQUIRE((*database)->use());
  for (std::size_t n = 1; n <= commits; ++n)
    REQUIRE(the_history().apply((*database)->store(), n));
  if (close)
    REQUIRE((*database)->close());
}

// -- verdicts
// -------------------------------------------------------------------

TEST_CASE("a new directory holds an empty database") {
  machine m;
  auto database = m.open();
  REQUIRE(database);
  CHECK((*database)->verdict() == database_verdict::empty);
  CHECK_FALSE((*database)->facts().commit);
  CHECK((*database)->facts().generation.empty());
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
    CHECK((*database)->facts().closed_cleanly == closed);
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
    REQUIRE(test::restore((*database)->store(), the_history().changelog()));
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
}

// -- locks
// ----------------------------------------------------------------------

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
// ---------------------------------------------------------------------

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

// -- a fault at every operation
// -----------------------------------------------------

/// What a life got done before its end.
struct done {
  std::size_t acknowledged = 0;
  /// Commits at the last clean close that was answered with success.
  std::size_t closed_at = 0;
  bool ended = false;
};

/// Opens, uses, applies, closes; twice. Stops at the first error.
done live(const machine& on) {
  done out;
  for (std::size_t to : {std::size_t{30}, std::size_t{60}}) {
    auto database = on.open();
    if (!database || !(*database)->use())
      return out;
    while (out.acknowledged < to) {
      if (!the_history().apply((*database)->store(), out.acknowledged + 1))
        return out;
      ++out.acknowledged;
    }
    if (!(*database)->close())
      return out;
    out.closed_at = to;
  }
  out.ended = true;
  return out;
}

/// Restores what `database` lacks, from the changelog, up to its end.
void recover(task_database& database) {
  auto verdict = database.verdict();
  if (verdict == database_verdict::untrusted)
    REQUIRE(database.rebuild());
  else
    REQUIRE(database.use());
  REQUIRE(test::restore(database.store(), the_history().changelog()));
  CHECK(contents(database.store()) == the_history().past(60).state);
  REQUIRE(database.close());
}

TEST_CASE("a crash of the process at every operation of open, apply and close "
          "leaves exactly a commit") {
  int crashes = 0;
  for (std::uint64_t at = 1;; ++at) {
    machine m;
    m.disk.inject(at, file_fault::crash);
    auto before = live(m);
    if (!m.disk.crashed())
      break;
    ++crashes;
    m.disk.crash_process();
    INFO("operation " << at);
    auto database = m.open();
    REQUIRE(database);
    CHECK((*database)->verdict() != database_verdict::untrusted);
    auto n = the_history().check(**database);
    CHECK(n >= before.acknowledged);
    CHECK(n <= before.acknowledged + 1);
    CHECK(m.log.count("store.quarantined") == 0);
    recover(**database);
  }
  CHECK(crashes > 200);
}

TEST_CASE("a crash of the power at every operation of open, apply and close "
          "leaves exactly a commit, or nothing to trust") {
  int crashes = 0;
  int trusted = 0;
  for (std::uint64_t at = 1;; ++at) {
    machine m;
    m.disk.inject(at, file_fault::crash);
    auto before = live(m);
    if (!m.disk.crashed())
      break;
    ++crashes;
    std::mt19937_64 random{at};
    m.disk.crash_power([&] { return random(); });
    INFO("operation " << at);
    auto database = m.open();
    REQUIRE(database);
    if ((*database)->verdict() != database_verdict::untrusted) {
      ++trusted;
      auto n = the_history().check(**database);
      CHECK(n >= before.closed_at);
    }
    recover(**database);
  }
  CHECK(crashes > 200);
  CHECK(trusted > 0);
}

TEST_CASE("an error at every operation of open, apply and close loses no "
          "acknowledged commit") {
  for (auto fault : {file_fault::no_space, file_fault::io_error}) {
    int failed = 0;
    for (std::uint64_t at = 1;; ++at) {
      machine m;
      m.disk.inject(at, fault);
      auto before = live(m);
      if (m.disk.operations() < at)
        break;
      failed += !before.ended;
      INFO("operation " << at);
      auto database = m.open();
      REQUIRE(database);
      auto n = the_history().check(**database);
      CHECK(n >= before.acknowledged);
      CHECK(n <= before.acknowledged + 1);
      recover(**database);
    }
    CHECK(failed > 50);
  }
}

TEST_CASE("a crash at every operation of a rebuild and a restore is recovered "
          "from") {
  for (bool power : {false, true}) {
    int crashes = 0;
    for (std::uint64_t at = 1;; ++at) {
      machine m;
      prepare(m, 20, false);
      m.disk.crash_power([] { return ~std::uint64_t{0}; });
      m.disk.inject(m.disk.operations() + at, file_fault::crash);
      [&] {
        auto database = m.open();
        if (!database)
          return;
        REQUIRE((*database)->verdict() == database_verdict::untrusted);
        if (!(*database)->rebuild() ||
            !test::restore((*database)->store(), the_history().changelog(),
                           4096) ||
            !(*database)->close())
          return;
      }();
      if (!m.disk.crashed())
        break;
      ++crashes;
      std::mt19937_64 random{at};
      if (power)
        m.disk.crash_power([&] { return random(); });
      else
        m.disk.crash_process();
      INFO("operation " << at);
      auto database = m.open();
      REQUIRE(database);
      recover(**database);
    }
    CHECK(crashes > 50);
  }
}

} // namespace
} // namespace weir
