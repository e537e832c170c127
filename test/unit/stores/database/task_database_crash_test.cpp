// A fault at every file operation of a task's database.
#include <catch2/catch.hpp>

#include <random>

#include "stores/database/task_database.hpp"
#include "test/unit/stores/machine_support.hpp"

namespace weir {
namespace {

using test::contents;
using test::machine;
using test::prepare;
using test::the_history;

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
  REQUIRE(test::restore(database.store(), the_history().log()));
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
      // An error of the disk is not damage of the data.
      CHECK(m.log.count("store.quarantined") == 0);
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
            !test::restore((*database)->store(), the_history().log(), 4096) ||
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
