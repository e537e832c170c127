#include <unistd.h>

#include <fstream>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "actors/base/znodes.hpp"
#include "actors/membership/membership.hpp"
#include "runtime/base/free_memory.hpp"
#include "runtime/job/memory_shares.hpp"
#include "runtime/job/settings.hpp"
#include "weir/job.hpp"

using namespace weir;
using Catch::Matchers::StartsWith;

namespace {

constexpr input<std::string, std::string> ticks{"ticks"};
constexpr output<std::string, std::string> changes{"changes"};
constexpr store<std::string, std::string> quotes{"quotes"};
constexpr store<std::string, std::int64_t> alarms{"alarms"};
constexpr store<std::string, std::int64_t> news{"news"};

job stock() {
  return job{"stock", ticks, changes, quotes};
}

} // namespace

TEST_CASE("R11: a job keeps its partition count and its inputs", "[job]") {
  auto node = new_job_node(stock(), 8, "gen", 1);
  REQUIRE(agree_on_job(stock(), 8, node));
  auto more = agree_on_job(stock(), 16, node);
  REQUIRE(more.error().code() == ec::bad_argument);
  REQUIRE(more.error().text().find("reset") != std::string::npos);
  auto other = stock().bind(ticks, "trades");
  auto renamed = agree_on_job(other, 8, node);
  REQUIRE(renamed.error().code() == ec::bad_argument);
  REQUIRE(renamed.error().text().find("'ticks'") != std::string::npos);
}

TEST_CASE("numbers of stores never change", "[job]") {
  auto node = new_job_node(stock(), 8, "gen", 1);
  REQUIRE(node.stores.at("quotes") == 1);
  auto grown = agree_on_job(job{"stock", ticks, alarms, quotes}, 8, node);
  REQUIRE(grown);
  REQUIRE(grown->stores.at("quotes") == 1);
  REQUIRE(grown->stores.at("alarms") == 2);
  // A store that is gone keeps its number for ever.
  auto shrunk = agree_on_job(job{"stock", ticks, news}, 8, *grown);
  REQUIRE(shrunk->stores.at("news") == 3);
  REQUIRE(shrunk->generation == "gen");
}

TEST_CASE("C8: a job's name has no dot, its topics are told apart", "[job]") {
  REQUIRE(stock().check());
  REQUIRE_FALSE(job{"a.b", ticks}.check());
  REQUIRE_FALSE(job{"", ticks}.check());
  REQUIRE_FALSE(job{"a"}.check());
  REQUIRE_FALSE(job{"a", ticks, changes}.bind(changes, "ticks").check());
  REQUIRE_FALSE(job{"a", ticks}.bind(ticks, "a-changelog").check());
  REQUIRE_FALSE(job{"a", ticks}.bind(ticks, "x/y").check());
  REQUIRE_FALSE(job{"a", ticks, quotes, quotes}.check());
}

TEST_CASE("durations have a unit", "[settings]") {
  REQUIRE(*parse_duration("100ms") == milliseconds{100});
  REQUIRE(*parse_duration("5m") == milliseconds{300'000});
  REQUIRE(*parse_duration("2h") == milliseconds{7'200'000});
  for (auto bad : {"", "5", "ms", "-1s", "1.5s", "5 s", "5d",
                   "99999999999999999999s", "9223372036854775807h"})
    REQUIRE_FALSE(parse_duration(bad));
  for (auto text : {"7ms", "90s", "5m", "1h", "0ms"})
    REQUIRE(format_duration(*parse_duration(text)) == text);
}

TEST_CASE("settings that cannot work are refused with a reason", "[settings]") {
  settings x;
  REQUIRE(x.validate());
  x.kafka = "127.0.0.1:9092";
  REQUIRE(x.validate().error().text().find("--zookeeper") != std::string::npos);
  x.zookeeper = "127.0.0.1:2181";
  REQUIRE(x.validate());
  x.threads = 0;
  REQUIRE_FALSE(x.validate());
  x.threads = 2;
  x.check_interval = milliseconds{0};
  REQUIRE_FALSE(x.validate());
}

TEST_CASE("a size or time that would stop the job is refused", "[settings]") {
  auto refused = [](auto settings::*member, auto value) {
    settings x;
    x.*member = value;
    auto ok = x.validate();
    return ok ? std::string{"accepted"} : ok.error().text();
  };
  constexpr std::size_t huge = std::size_t{1} << 63;
  for (auto bad : {std::size_t{0}, huge}) {
    CHECK_THAT(refused(&settings::overlay_bytes, bad),
               StartsWith("--overlay-bytes must be 1 to "));
    CHECK_THAT(refused(&settings::producer_bytes, bad),
               StartsWith("--producer-bytes must be 1 to "));
    CHECK_THAT(refused(&settings::max_record_bytes, bad),
               StartsWith("--max-record-bytes must be 1 to "));
  }
  CHECK_THAT(refused(&settings::cache_bytes, huge),
             StartsWith("--cache-bytes must be 0 to "));
  CHECK(refused(&settings::cache_bytes, 0) == "accepted");
  CHECK(refused(&settings::overlay_bytes, 1) == "accepted");
  for (auto bad : {milliseconds{0}, milliseconds{600'001}}) {
    CHECK(refused(&settings::session_timeout, bad) ==
          "--session-timeout must be 1s to 4m");
    CHECK(refused(&settings::check_interval, bad) ==
          "--check-interval must be 1ms to 10m");
  }
  for (auto bad : {milliseconds{999}, *parse_duration("25h")})
    CHECK(refused(&settings::sync_interval, bad) ==
          "--sync-interval must be 1s to 24h");
  CHECK(refused(&settings::producer_linger, milliseconds{5'001}) ==
        "--producer-linger must be 0ms to 5s");
  CHECK(refused(&settings::producer_linger, milliseconds{0}) == "accepted");
  for (auto bad : {milliseconds{999}, milliseconds{600'001}})
    CHECK(refused(&settings::stop_limit, bad) ==
          "--stop-limit must be 1s to 10m");
}

TEST_CASE("the config node has the limits of the command line", "[settings]") {
  auto bad = decode_config(R"({"check_interval":"11m","sync_interval":"1ms"})");
  CHECK_FALSE(bad.check_interval);
  CHECK_FALSE(bad.sync_interval);
  CHECK(bad.ignored == std::vector<ignored_setting>{
                           {"check_interval", "11m", "1ms to 10m, in quotes"},
                           {"sync_interval", "1ms", "1s to 24h, in quotes"}});
  auto good = decode_config(R"({"check_interval":"1ms","sync_interval":"1s"})");
  CHECK(good.ignored.empty());
  CHECK(good.check_interval == milliseconds{1});
  CHECK(good.sync_interval == milliseconds{1'000});
}

TEST_CASE("a bad value in the config node keeps the last good one",
          "[settings]") {
  auto good = decode_config(R"({"check_interval":"5ms","sync_interval":"7s"})");
  auto bad =
      decode_config(R"({"check_interval":5,"sync_interval":"9s"})", good);
  CHECK(bad.check_interval == milliseconds{5});
  CHECK(bad.sync_interval == milliseconds{9'000});
  REQUIRE(bad.ignored.size() == 1);
  CHECK(bad.ignored[0] ==
        ignored_setting{"check_interval", "5", "1ms to 10m, in quotes"});
  auto rubbish = decode_config("rubbish", bad);
  CHECK(rubbish.check_interval == milliseconds{5});
  CHECK(rubbish.sync_interval == milliseconds{9'000});
  REQUIRE(rubbish.ignored.size() == 1);
  CHECK(rubbish.ignored[0].value == "rubbish");
  // What is not mentioned goes back to where it comes from else.
  CHECK_FALSE(decode_config("{}", bad).check_interval);
  CHECK_FALSE(decode_config("", bad).sync_interval);
}

TEST_CASE("T_c follows the guarantee unless it is set", "[settings]") {
  settings x;
  REQUIRE(x.check_interval_or_default() == milliseconds{100});
  x.guarantee = guarantee::at_least_once;
  REQUIRE(x.check_interval_or_default() == milliseconds{1'000});
  x.check_interval = milliseconds{7};
  REQUIRE(x.check_interval_or_default() == milliseconds{7});
}

// -- memory

TEST_CASE("many tasks need no more memory than some", "[memory]") {
  settings how;
  auto sum = [](const memory_shares& x) {
    return 2 * x.overlay + x.cache + x.held + 2 * x.write_buffer + x.restore +
           x.read_ahead + x.restore_ahead;
  };
  for (std::size_t tasks : {64u, 256u, 512u, 1'000u}) {
    auto each = share_memory(how, static_cast<int>(tasks), 1);
    // With a thousand the least shares count: below them nothing works well.
    CHECK(tasks * sum(each) < (tasks > 512 ? 1'000u << 20 : 700u << 20));
    CHECK(each.write_buffer >= 64u << 10);
    CHECK(each.overlay >= 64u << 10);
  }
  // Many inputs share what one would have.
  auto one = share_memory(how, 32, 1);
  auto four = share_memory(how, 32, 4);
  CHECK(four.read_ahead * 4 == one.read_ahead);
}

TEST_CASE("few tasks get what the settings say, and no more", "[memory]") {
  settings how;
  auto each = share_memory(how, 1, 1);
  CHECK(each.overlay == how.overlay_bytes);
  CHECK(each.cache == how.cache_bytes);
  CHECK(each.held == how.held_bytes);
  CHECK(each.write_buffer == 4u << 20);
  CHECK(each.read_ahead == 2u << 20);
  how.overlay_bytes = how.cache_bytes = 0;
  how.held_bytes = 1;
  for (int tasks : {0, 1, 10'000}) {
    auto least = share_memory(how, tasks, 0);
    CHECK(least.overlay == 0);
    CHECK(least.cache == 0);
    CHECK(least.held == 1);
  }
}

TEST_CASE("the lanes' producers share a budget", "[memory]") {
  settings how;
  how.threads = 2;
  CHECK(share_memory(how, 8, 1).producer == 32u << 20);
  for (auto promise : {guarantee::exactly_once, guarantee::at_least_once}) {
    how.guarantee = promise;
    std::size_t producers = promise == guarantee::at_least_once ? 2 : 1;
    for (int threads : {1, 4, 16}) {
      how.threads = threads;
      auto all = static_cast<std::size_t>(threads) * producers;
      CHECK(share_memory(how, 8, 1).producer * all <= 128u << 20);
    }
    how.threads = 1'000;
    CHECK(share_memory(how, 8, 1).producer == 4u << 20);
  }
  // What somebody asks for is not cut: a large record may need it.
  for (auto asked : {std::size_t{1}, std::size_t{300} << 20}) {
    how.producer_bytes = asked;
    CHECK(share_memory(how, 8, 1).producer == asked);
  }
}

TEST_CASE("memory is given back once after each time of work", "[memory]") {
  idle_watch watch;
  std::uint64_t records = 0;
  auto looks = [&](int count, std::uint64_t processed, int running) {
    int answers = 0;
    for (int i = 0; i < count; ++i)
      answers += watch.look(records += processed, running) ? 1 : 0;
    return answers;
  };
  // Nothing was ever done.
  CHECK(looks(100, 0, 0) == 0);
  CHECK(looks(50, 100'000, 8) == 0);
  // A pause shorter than ten seconds is none.
  CHECK(looks(19, 3, 8) == 0);
  CHECK(looks(1, 100'000, 8) == 0);
  CHECK(looks(19, 3, 8) == 0);
  CHECK(looks(100, 3, 8) == 1);
  // Tasks that restored are work too.
  CHECK(looks(100, 0, 9) == 1);
}

// A sanitizer's allocator keeps what is freed, to find who uses it.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

std::int64_t resident_bytes() {
  std::ifstream status{"/proc/self/statm"};
  std::int64_t all = 0;
  std::int64_t resident = 0;
  status >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

} // namespace

TEST_CASE("what was freed goes back to the system", "[memory]") {
  constexpr std::int64_t mib = 1 << 20;
  // What earlier tests left free would be taken first.
  release_free_memory();
  auto before = resident_bytes();
  // Messages of a backlog, and a few that stay between them.
  std::vector<std::unique_ptr<char[]>> kept, freed;
  for (int i = 0; i < 200'000; ++i) {
    auto made = std::make_unique<char[]>(500);
    (i % 1000 == 0 ? kept : freed).push_back(std::move(made));
  }
  CHECK(resident_bytes() - before > 90 * mib);
  freed.clear();
  release_free_memory();
  CHECK(resident_bytes() - before < 20 * mib);
}
#endif
