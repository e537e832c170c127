// Every cell of the table of rule H27, and the count of rule L8.
#include <map>

#include <catch2/catch.hpp>

#include "actors/failure/failure_policy.hpp"

using namespace weir;

namespace {

constexpr failure_place places[] = {
    failure_place::restore,     failure_place::claim, failure_place::open_id,
    failure_place::transaction, failure_place::apply, failure_place::input,
    failure_place::user_code};

/// By hand from the rule, a word a place, in the order above.
const std::map<ec, std::string> table{
    {ec::disconnected, "retry retry retry lane impossible retry lane_blame"},
    {ec::timed_out, "retry retry retry lane impossible retry lane_blame"},
    {ec::unknown_outcome, "retry retry retry lane impossible retry lane_blame"},
    {ec::session_expired,
     "retry retry retry lane impossible impossible lane_blame"},
    {ec::fenced, "impossible lane retry lane impossible impossible lane_blame"},
    {ec::transaction_failed,
     "impossible retry retry lane impossible impossible lane_blame"},
    {ec::version_mismatch, "impossible retry impossible impossible impossible "
                           "impossible lane_blame"},
    {ec::already_exists, "impossible retry impossible impossible impossible "
                         "impossible lane_blame"},
    {ec::not_empty, "impossible retry impossible impossible impossible "
                    "impossible lane_blame"},
    {ec::not_found,
     "pause pause pause lane_pause impossible lane_pause lane_blame"},
    {ec::rejected,
     "pause pause pause lane_pause impossible lane_pause lane_blame"},
    {ec::bad_argument,
     "pause pause pause lane_pause impossible lane_pause lane_blame"},
    {ec::io_error,
     "pause impossible pause lane_pause lane_pause lane_pause lane_blame"},
    {ec::locked,
     "pause impossible pause lane_pause lane_pause lane_pause lane_blame"},
    {ec::damaged, "rebuild impossible impossible impossible lane_rebuild "
                  "impossible lane_rebuild"},
    {ec::corruption,
     "park park impossible lane_park lane_park leave_park lane_park"},
    {ec::bad_format,
     "park park impossible lane_park lane_park leave_park lane_park"},
    {ec::data_loss,
     "park park impossible lane_park lane_park leave_park lane_park"},
    {ec::too_large, "lane_blame impossible impossible lane_blame lane_blame "
                    "lane_blame lane_blame"},
    {ec::task_failed, "lane_blame impossible impossible lane_blame lane_blame "
                      "lane_blame lane_blame"},
    {ec::offset_out_of_range,
     "pause impossible impossible impossible impossible lane lane_blame"},
    {ec::queue_full,
     "impossible impossible retry lane impossible impossible lane_blame"},
    {ec::elsewhere, "impossible impossible impossible impossible impossible "
                    "impossible lane_blame"},
    {ec::closed, "node node node node node node lane_blame"},
};

} // namespace

TEST_CASE("H27: every cell", "[failure]") {
  // Every code has a row: a new one is decided about.
  for (int code = 1; code <= static_cast<int>(ec::elsewhere); ++code) {
    auto what = static_cast<ec>(code);
    INFO(to_string(what));
    REQUIRE(table.count(what) == 1);
    std::string row;
    for (auto place : places)
      row += (row.empty() ? "" : " ") +
             std::string{to_string(react(place, what))};
    CHECK(row == table.at(what));
  }
}

TEST_CASE("H27: the environment is never blamed", "[failure]") {
  for (auto& [what, row] : table)
    for (auto place : places)
      if (react(place, what) == reaction::lane_blame)
        CHECK((place == failure_place::user_code || what == ec::too_large ||
               what == ec::task_failed));
}

TEST_CASE("L8: three failures at one record, a lane of its own, three more",
          "[failure]") {
  using verdict = blame_record::verdict;
  blame_record shared;
  CHECK(shared.failed({7, INT64_MAX}, 0, false).what == verdict::retry);
  // A commit up to the record is not past it.
  shared.committed({7, 100});
  CHECK(shared.failed({7, INT64_MAX}, 1, false).what == verdict::retry);
  CHECK(shared.failed({7, INT64_MAX}, 2, false).what == verdict::own_lane);
  blame_record solo;
  CHECK(solo.failed({7, INT64_MAX}, 3, true).what == verdict::retry);
  CHECK(solo.failed({7, INT64_MAX}, 4, true).what == verdict::retry);
  CHECK(solo.failed({7, INT64_MAX}, 5, true).what == verdict::park);
}

TEST_CASE("L8: a commit that passes the record starts at zero", "[failure]") {
  blame_record x;
  x.failed({7, INT64_MAX}, 0, false);
  x.failed({7, INT64_MAX}, 1, false);
  CHECK(x.in_a_row() == 2);
  x.committed({8, 0});
  CHECK(x.in_a_row() == 0);
  CHECK(x.failed({9, INT64_MAX}, 2, false).what ==
        blame_record::verdict::retry);
}

TEST_CASE("L8: a failure without a record is over with any progress",
          "[failure]") {
  blame_record x;
  x.failed({7, 3}, 0, false);
  x.committed({7, 3});
  CHECK(x.in_a_row() == 1);
  x.committed({7, 4});
  CHECK(x.in_a_row() == 0);
}

TEST_CASE("H27: more than 20 failures an hour pause for a minute each",
          "[failure]") {
  blame_record x;
  std::int64_t now = 0;
  std::int64_t offset = 0;
  auto fail_once = [&] {
    now += 1'000;
    auto out = x.failed({++offset}, now, false);
    x.committed({offset + 1});
    return out.pause_ms;
  };
  for (int i = 0; i < 20; ++i)
    CHECK(fail_once() < 1'000);
  CHECK(fail_once() == 60'000);
  CHECK(fail_once() == 60'000);
  now += 3'600'000;
  CHECK(fail_once() < 1'000);
}
