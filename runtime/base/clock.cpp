#include "runtime/base/clock.hpp"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "runtime/base/assert.hpp"

namespace weir {

namespace {

class real_world final : public outside_world {
public:
  std::int64_t wall_clock_ms() override {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch())
        .count();
  }

  std::int64_t steady_ns() override { return read(CLOCK_MONOTONIC); }
  std::int64_t coarse_ns() override { return read(CLOCK_MONOTONIC_COARSE); }

  std::uint64_t random_bits() override {
    std::uint64_t bits = 0;
    auto got = getrandom(&bits, sizeof bits, 0);
    WEIR_ASSERT(got == sizeof bits, "getrandom failed");
    return bits;
  }

  std::string boot_id() override {
    std::ifstream in{"/proc/sys/kernel/random/boot_id"};
    std::string id;
    std::getline(in, id);
    return id;
  }

  std::string host_name() override {
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    return name;
  }

  std::int64_t process_id() override { return getpid(); }

  std::string pid_namespace() override {
    char name[64] = {};
    auto size = readlink("/proc/self/ns/pid", name, sizeof name);
    return {name, size > 0 ? static_cast<std::size_t>(size) : 0};
  }

  std::uint64_t process_start(std::int64_t pid) override {
    std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
    std::string line;
    if (!std::getline(in, line))
      return 0;
    // The second field, the program's name, may hold blanks and parentheses.
    auto close = line.rfind(')');
    if (close == std::string::npos)
      return 0;
    std::istringstream fields{line.substr(close + 1)};
    std::string skipped;
    fields >> skipped;
    // A zombie holds no locks and commits nothing any more.
    if (skipped == "Z" || skipped == "X")
      return 0;
    for (int field = 4; field < 22; ++field)
      fields >> skipped;
    std::uint64_t start = 0;
    fields >> start;
    return start;
  }

private:
  static std::int64_t read(clockid_t which) {
    timespec now{};
    clock_gettime(which, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }
};

} // namespace

std::shared_ptr<outside_world> make_outside_world() {
  return std::make_shared<real_world>();
}

std::string random_id(outside_world& world) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(world.random_bits()),
                static_cast<unsigned long long>(world.random_bits()));
  return text;
}

} // namespace weir
