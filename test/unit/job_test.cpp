#include <catch2/catch.hpp>

#include "actors/membership.hpp"
#include "runtime/job.hpp"
#include "runtime/settings.hpp"

using namespace weir;

namespace {

job stock() {
  return job("stock").input("ticks").output("changes").store("quotes");
}

} // namespace

TEST_CASE("R11: a job keeps its partition count and its inputs", "[job]") {
  auto node = new_job_node(stock(), 8, "gen", 1);
  REQUIRE(agree_on_job(stock(), 8, node));
  auto more = agree_on_job(stock(), 16, node);
  REQUIRE(more.error().code() == ec::bad_argument);
  REQUIRE(more.error().text().find("reset") != std::string::npos);
  auto other = stock().bind_topic("ticks", "trades");
  auto renamed = agree_on_job(other, 8, node);
  REQUIRE(renamed.error().code() == ec::bad_argument);
  REQUIRE(renamed.error().text().find("'ticks'") != std::string::npos);
}

TEST_CASE("numbers of stores never change", "[job]") {
  auto node = new_job_node(stock(), 8, "gen", 1);
  REQUIRE(node.stores.at("quotes") == 1);
  auto grown = agree_on_job(
      job("stock").input("ticks").store("alarms").store("quotes"), 8, node);
  REQUIRE(grown);
  REQUIRE(grown->stores.at("quotes") == 1);
  REQUIRE(grown->stores.at("alarms") == 2);
  // A store that is gone keeps its number for ever.
  auto shrunk =
      agree_on_job(job("stock").input("ticks").store("news"), 8, *grown);
  REQUIRE(shrunk->stores.at("news") == 3);
  REQUIRE(shrunk->generation == "gen");
}

TEST_CASE("C8: a job's name has no dot, its topics are told apart", "[job]") {
  REQUIRE(stock().validate());
  REQUIRE_FALSE(job("a.b").input("x").validate());
  REQUIRE_FALSE(job("").input("x").validate());
  REQUIRE_FALSE(job("a").validate());
  REQUIRE_FALSE(job("a").input("x").output("x").validate());
  REQUIRE_FALSE(job("a").input("a-changelog").validate());
  REQUIRE_FALSE(job("a").input("x/y").validate());
  REQUIRE_FALSE(job("a").input("x").store("s").store("s").validate());
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

TEST_CASE("T_c follows the guarantee unless it is set", "[settings]") {
  settings x;
  REQUIRE(x.check_interval_or_default() == milliseconds{100});
  x.guarantee = guarantee::at_least_once;
  REQUIRE(x.check_interval_or_default() == milliseconds{1'000});
  x.check_interval = milliseconds{7};
  REQUIRE(x.check_interval_or_default() == milliseconds{7});
}
