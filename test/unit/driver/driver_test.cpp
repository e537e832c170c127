#include "weir/testing.hpp"

#include <catch2/catch.hpp>

#include "test/unit/driver/words.hpp"

using namespace std::chrono_literals;
using namespace words_test;
using weir::testing::driver;
using weir::testing::driver_error;
using weir::testing::driver_options;

namespace {

weir::task_factory word_task() {
  return weir::task_of<word_count>();
}

} // namespace

TEST_CASE("driver: a word counts once, wherever its line came from") {
  driver job{word_job, word_task()};
  job.produce(lines, "to be or not to be");
  job.run();
  CHECK(job.get(counts, "be") == 2);
  job.produce(lines, "let it be");
  // Not committed.
  job.process();
  job.crash();
  job.run();
  CHECK(job.get(counts, "be") == 3);
  CHECK(job.table(totals).at("be") == 3);
  CHECK(
      job.all(counts) ==
      std::map<std::string, std::int64_t>{
          {"be", 3}, {"it", 1}, {"let", 1}, {"not", 1}, {"or", 1}, {"to", 2}});
}

TEST_CASE("driver: a lost disk is restored from the changelog") {
  driver job{word_job, word_task()};
  job.produce(lines, "a b a");
  job.run();
  job.lose_disk();
  job.produce(lines, "a");
  job.run();
  CHECK(job.get(counts, "a") == 3);
  CHECK(job.read(totals).size() == 4);
}

TEST_CASE("driver: nothing is committed before it is told to") {
  driver job{word_job, word_task()};
  job.produce(lines, "a");
  job.process();
  CHECK_FALSE(job.get(counts, "a"));
  CHECK(job.read(totals).empty());
  job.commit();
  job.process();
  CHECK(job.get(counts, "a") == 1);
  CHECK(job.read(totals).empty());
  job.advance(200ms);
  CHECK(job.read(totals).size() == 1);
}

TEST_CASE("driver: a crash after any step changes nothing") {
  auto run = [](std::uint64_t crash_after, std::uint64_t& steps) {
    driver_options how;
    how.partitions = 2;
    how.crash_after = crash_after;
    driver job{word_job, word_task(), how};
    job.produce(lines, "a b a");
    job.produce(lines, "b c");
    job.run();
    steps = job.steps();
    std::multimap<std::string, std::int64_t> out;
    for (auto& each : job.read(totals))
      out.emplace(each.key, *each.value);
    return std::pair{job.all(counts), out};
  };
  std::uint64_t steps = 0, ignored = 0;
  auto right = run(0, steps);
  CHECK(right.first ==
        std::map<std::string, std::int64_t>{{"a", 2}, {"b", 2}, {"c", 1}});
  REQUIRE(steps > 50);
  for (std::uint64_t after = 1; after <= steps; ++after) {
    INFO("crash after step " << after << " of " << steps);
    CHECK(run(after, ignored) == right);
  }
}

TEST_CASE("driver: a bad record goes by the policy, with its reason") {
  driver_options how;
  how.on_bad_record = weir::bad_record_policy::dead_letter;
  driver job{word_job, word_task(), how};
  auto at = job.produce(lines, "bad");
  job.produce(lines, "good");
  job.run();
  REQUIRE(job.bad().size() == 1);
  CHECK(job.bad()[0].topic == "lines");
  CHECK(job.bad()[0].at == at);
  CHECK(job.bad()[0].reason == "a bad line");
  CHECK(job.get(counts, "good") == 1);
}

TEST_CASE("driver: what stops a task is thrown with its reason") {
  auto line = GENERATE("bad", "throw");
  driver job{word_job, word_task()};
  job.produce(lines, line);
  CHECK_THROWS_WITH(job.run(), Catch::Contains(line));
}

TEST_CASE("driver: what a test asks for and the job has not is named") {
  driver job{word_job, word_task()};
  constexpr weir::input<weir::none, std::string> others{"others"};
  CHECK_THROWS_WITH(job.produce(others, "x"), Catch::Contains("'others'"));
  constexpr weir::store<std::string, std::int64_t> strange{"strange"};
  CHECK_THROWS_WITH(job.get(strange, "x"), Catch::Contains("'strange'"));
}

TEST_CASE("driver: two runs of a seed are the same run") {
  auto steps = [](std::uint64_t seed) {
    driver_options how;
    how.seed = seed;
    driver job{word_job, word_task(), how};
    job.produce(lines, "a b c d e f");
    job.run();
    return job.steps();
  };
  CHECK(steps(7) == steps(7));
}

namespace {

// What the README of the first release did: a word is counted where its line
// lies.
inline constexpr weir::input<std::string, weir::none> words_in{"words-in"};
inline constexpr weir::store<std::string, std::int64_t> seen{"seen"};
inline constexpr weir::store<std::pair<std::string, std::int32_t>, std::int64_t>
    letters{"letters"};
inline constexpr weir::store<std::string, std::int64_t> total{"total",
                                                              {.local = true}};

struct told {
  bool wrong_word = false;
  bool wrong_letter = false;
};

class counting : public weir::task {
public:
  counting(const weir::task_setup& setup, told how) : task(setup) {
    on(words_in, [this, how](std::string_view word) {
      ++seen_[how.wrong_word ? std::string{word} + "?" : std::string{word}];
      ++letters_[{
          how.wrong_letter ? "x" + std::string{word} : std::string{word}, 7}];
      ++total_["all"];
      partitions_seen = partitions();
    });
  }
  static inline int partitions_seen = 0;

private:
  weir::use<seen> seen_{this};
  weir::use<letters> letters_{this};
  weir::use<total> total_{this};
};

inline const weir::job count_job{"count", words_in, seen, letters, total};

} // namespace

TEST_CASE(
    "driver: a key of another partition is refused, and what to do said") {
  driver_options how;
  how.partitions = 50;
  SECTION("the record's key, its first part, and what is local are right") {
    driver job{count_job, weir::task_of<counting>(told{}), how};
    for (auto word : {"to", "be", "or"})
      job.produce(words_in, word);
    job.run();
    CHECK(job.all(seen).size() == 3);
    CHECK(counting::partitions_seen == 50);
    // Several tasks have it.
    CHECK_THROWS_AS(job.get(total, "all"), driver_error);
  }
  SECTION("another word") {
    driver job{count_job, weir::task_of<counting>(told{.wrong_word = true}),
               how};
    job.produce(words_in, "to");
    CHECK_THROWS_WITH(job.run(),
                      Catch::Contains("store 'seen', key \"to?\": belongs to "
                                      "partition") &&
                          Catch::Contains("{.local = true}"));
  }
  SECTION("another first part") {
    driver job{count_job, weir::task_of<counting>(told{.wrong_letter = true}),
               how};
    job.produce(words_in, "to");
    CHECK_THROWS_WITH(job.run(), Catch::Contains("store 'letters'"));
  }
}

TEST_CASE("driver: a task is asked") {
  driver job{word_job, weir::task_of<answering>(), {.partitions = 1}};
  job.produce(lines, "a b a");
  job.run();
  CHECK(job.ask<std::int64_t>(0, how_often{"a"}) == 2);
  CHECK_THROWS_WITH(job.ask<std::int64_t>(0, how_often{"throw"}),
                    Catch::Contains("told to throw"));
  CHECK_THROWS_AS(job.ask<std::int64_t>(1, how_often{"a"}), driver_error);
}

TEST_CASE("driver: two at once keep their logs apart") {
  std::string of_first, of_second;
  auto into = [](std::string& to) {
    return [&to](std::string_view line) { to.append(line) += '\n'; };
  };
  driver first{word_job, word_task(), {.log = into(of_first)}};
  driver second{weir::job{word_job}.rename("others"),
                word_task(),
                {.log = into(of_second)}};
  first.produce(lines, "a");
  first.run();
  second.produce(lines, "a");
  second.run();
  CHECK(of_first.find("job=words ") != std::string::npos);
  CHECK(of_first.find("others") == std::string::npos);
  CHECK(of_second.find("job=others ") != std::string::npos);
}

TEST_CASE("driver: what is committed of an internal topic is deleted") {
  driver job{
      word_job, word_task(), {.check_interval = 1s, .sync_interval = 10s}};
  job.produce(lines, "a b c");
  job.run();
  CHECK(job.read(words).size() == 3);
  // The first T_s only remembers how far they were.
  job.advance(11s);
  CHECK(job.read(words).size() == 3);
  job.produce(lines, "d");
  job.run();
  job.advance(10s);
  auto left = job.read(words);
  REQUIRE(left.size() == 1);
  CHECK(left[0].key == "d");
  // Nothing of it is needed to come back.
  job.lose_disk();
  job.produce(lines, "a d");
  job.run();
  CHECK(job.get(counts, "a") == 2);
  CHECK(job.get(counts, "d") == 2);
}
