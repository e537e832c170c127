#include <fstream>

#include <catch2/catch.hpp>

#include "actors/commands/options.hpp"
#include "test/temporary_directory.hpp"

using namespace weir;
using Catch::Matchers::Contains;

namespace {

/// A file c.toml in a directory of its own.
class settings_file {
public:
  explicit settings_file(const std::string& content) {
    std::ofstream{path()} << content;
  }

  std::string directory() const { return directory_.path(); }
  std::string path() const { return directory() + "/c.toml"; }

private:
  test::temporary_directory directory_;
};

constexpr input<std::string, std::string> ticks{"ticks"};

result<configuration> configured(const option_values& given,
                                 const std::optional<std::string>& file = {}) {
  return configure(job{"stock", ticks}, given, file);
}

std::string refusal(const result<configuration>& x) {
  REQUIRE_FALSE(x);
  CHECK(x.error().code() == ec::bad_argument);
  return x.error().text();
}

} // namespace

TEST_CASE("a whole number has digits only and a range", "[options]") {
  CHECK(parse_whole("0") == 0u);
  CHECK(parse_whole("18446744073709551615") == UINT64_MAX);
  CHECK(parse_whole("8", 1, 8) == 8u);
  for (auto bad : {"", "-1", "+1", " 1", "1 ", "0x10", "1e3", "1.5", "x"})
    CHECK_THAT(parse_whole(bad).error().text(),
               Contains("is not a whole number"));
  CHECK_THAT(parse_whole("99999999999999999999999").error().text(),
             Contains("is not in 0 to 18446744073709551615"));
  for (auto bad : {"0", "9"})
    CHECK_THAT(parse_whole(bad, 1, 8).error().text(),
               Contains("is not in 1 to 8"));
}

TEST_CASE("numbers in options are refused by name", "[options]") {
  for (auto name : {"threads", "max-record-bytes", "overlay-bytes",
                    "cache-bytes", "producer-bytes"})
    for (auto bad : {"-1", "99999999999999999999999", "1k", ""})
      CHECK_THAT(refusal(configured({{name, {bad}}})),
                 Contains(std::string{"--"} + name));
}

TEST_CASE("what becomes of a stopped task is chosen by word", "[options]") {
  auto none = configured({});
  REQUIRE(none);
  CHECK(none->settings.on_task_stop == task_stop_policy::park);
  CHECK(none->settings.on_lost_input == lost_input_policy::park);
  CHECK(none->settings.stop_limit == milliseconds{20'000});
  auto other = configured({{"on-task-stop", {"exit"}},
                           {"on-lost-input", {"continue"}},
                           {"stop-limit", {"5s"}}});
  REQUIRE(other);
  CHECK(other->settings.on_task_stop == task_stop_policy::exit);
  CHECK(other->settings.on_lost_input == lost_input_policy::go_on);
  CHECK(other->settings.stop_limit == milliseconds{5'000});
  CHECK_THAT(refusal(configured({{"on-task-stop", {"skip"}}})),
             Contains("'skip' is not one of: exit, park"));
}

TEST_CASE("an empty text is not the same as no option", "[options]") {
  for (auto name : {"kafka", "zookeeper", "data"})
    CHECK_THAT(refusal(configured({{name, {""}}})),
               Contains(std::string{"--"} + name));
}

TEST_CASE("a settings file sets every option by name", "[options]") {
  settings_file file{"log-level = \"warning\"\nthreads = 3\n"};
  auto how = configured({}, file.path());
  REQUIRE(how);
  CHECK(how->log_level == log_level::warning);
  CHECK(how->settings.threads == 3);
  auto over = configured({{"log-level", {"debug"}}}, file.path());
  REQUIRE(over);
  CHECK(over->log_level == log_level::debug);
  CHECK(configured({})->log_level == log_level::info);
}

TEST_CASE("faults in a settings file are named", "[options]") {
  settings_file unknown{"thread = 3\n"};
  CHECK(refusal(configured({}, unknown.path())) ==
        unknown.path() + ": unknown setting 'thread'");
  settings_file negative{"overlay-bytes = -1\n"};
  CHECK(refusal(configured({}, negative.path())) ==
        negative.path() + ": overlay-bytes: '-1' is not a whole number");
  settings_file zero{"overlay-bytes = 0\n"};
  CHECK_THAT(refusal(configured({}, zero.path())), Contains("overlay-bytes"));
  settings_file level{"log-level = \"loud\"\n"};
  CHECK_THAT(refusal(configured({}, level.path())),
             Contains("log-level: 'loud' is not one of: "));
}

TEST_CASE("a settings file is no directory", "[options]") {
  settings_file file{""};
  CHECK(configured({}, file.path()));
  CHECK_THAT(refusal(configured({}, file.directory())),
             Contains("--config") && Contains("is a directory"));
  for (auto& none : {std::string{}, file.directory() + "/none"})
    CHECK(refusal(configured({}, none)) ==
          "--config: there is no file '" + none + "'");
}
