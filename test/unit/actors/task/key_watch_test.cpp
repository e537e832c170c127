#include "actors/task/key_watch.hpp"

#include <vector>

#include <catch2/catch.hpp>

#include "runtime/base/log.hpp"
#include "runtime/stream/partitioner.hpp"
#include "weir/weir.hpp"

using namespace weir;

namespace {

constexpr input<std::string, none> words{"words"};
constexpr store<std::string, int> first{"first"};
constexpr store<std::string, int> second{"second"};
constexpr store<std::string, int> anywhere{"anywhere", {.local = true}};

constexpr int partitions = 4;
constexpr int here = 1;

/// A key of this partition, or of another.
std::string key_of(bool ours) {
  for (int i = 0;; ++i) {
    auto key = "k" + std::to_string(i);
    if ((partition_of(key, partitions) == here) == ours)
      return key;
  }
}

struct watching {
  watching() {
    set_log_sink([this](log_level, std::string_view event,
                        std::string_view text) {
      warnings.push_back(std::string{event} + ' ' + std::string{text});
    });
    watch.add(1, first.name);
    watch.add(2, second.name);
    watch.add(3, anywhere.name);
  }
  ~watching() { set_log_sink({}); }
  void look(char store, bool ours) {
    watch.look(std::string{store} + key_of(ours));
  }

  job of{"j", words, first, second, anywhere};
  std::vector<std::string> warnings;
  key_watch watch{of, here, partitions};
};

} // namespace

TEST_CASE("a node warns of foreign keys once a store") {
  watching x;
  x.look('\1', true);
  x.look('\3', false);
  CHECK(x.warnings.empty());
  for (int i = 0; i < 3; ++i)
    x.look('\1', false);
  REQUIRE(x.warnings.size() == 1);
  CHECK(x.warnings[0].find("store 'first'") != std::string::npos);
}

TEST_CASE("a busy store leaves the looks of another") {
  watching x;
  for (int i = 0; i < 1'000; ++i)
    x.look('\1', true);
  x.look('\1', false);
  CHECK(x.warnings.empty());
  x.look('\2', false);
  CHECK(x.warnings.size() == 1);
}
