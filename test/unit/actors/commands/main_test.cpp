#include <array>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "test/temporary_directory.hpp"
#include "weir/weir.hpp"

using namespace weir;

namespace {

constexpr input<std::string, std::string> lines{"lines"};
constexpr store<std::string, std::string> used{"used"};
constexpr store<std::string, std::string> forgotten{"forgotten"};

class half_a_task : public task {
public:
  explicit half_a_task(const task_setup& setup) : task(setup) {
    on(lines, [this](std::string_view key, std::string_view value) {
      used_.put(std::string{key}, std::string{value});
    });
  }

private:
  use<used> used_{this};
};

} // namespace

TEST_CASE("a task that is not the job's is seen before anything is made",
          "[commands]") {
  test::temporary_directory directory;
  auto data = directory.path() + "/data";
  std::string words[] = {"program", "run", "--data", data, "--until-drained"};
  std::array<char*, 5> arguments{};
  for (std::size_t i = 0; i < arguments.size(); ++i)
    arguments[i] = words[i].data();
  application app{job{"half", lines, used, forgotten}, task_of<half_a_task>()};
  CHECK(app.main(static_cast<int>(arguments.size()), arguments.data()) == 2);
  CHECK_FALSE(std::filesystem::exists(data));
}
