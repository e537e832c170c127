#include "runtime/kafka/delivery_run.hpp"

#include <memory>
#include <vector>

#include <catch2/catch.hpp>

using namespace weir;

namespace {

/// Wants each offset.
class reader_of_offsets : public delivery_listener {
public:
  void delivered(std::int64_t offset) noexcept override {
    seen.push_back(offset);
  }
  void failed(const error&) noexcept override {}
  std::vector<std::int64_t> seen;
};

/// Wants to know how many.
class counter final : public reader_of_offsets {
public:
  bool only_counts() const noexcept override { return true; }
  void all_delivered(std::int64_t count) noexcept override {
    counts.push_back(count);
  }
  std::vector<std::int64_t> counts;
};

} // namespace

TEST_CASE("a listener is told each offset unless it only counts",
          "[delivery]") {
  reader_of_offsets one;
  counter two, three;
  kafka::delivery_run run;
  for (std::int64_t i = 0; i < 3; ++i)
    run.add(&one, i);
  CHECK(one.seen == std::vector<std::int64_t>{0, 1, 2});
  for (std::int64_t i = 3; i < 8; ++i)
    run.add(&two, i);
  CHECK(two.counts.empty());
  run.add(&three, 8);
  CHECK(two.counts == std::vector<std::int64_t>{5});
  run.add(nullptr, 9);
  CHECK(three.counts == std::vector<std::int64_t>{1});
  run.add(&one, 10);
  run.add(&two, 11);
  run.end();
  run.end();
  CHECK(one.seen.back() == 10);
  CHECK(two.counts == std::vector<std::int64_t>{5, 1});
  CHECK(two.seen.empty());
}

TEST_CASE("a listener may be gone once it was told", "[delivery]") {
  kafka::delivery_run run;
  auto first = std::make_unique<reader_of_offsets>();
  run.add(first.get(), 0);
  first.reset();
  reader_of_offsets second;
  run.add(&second, 1);
  run.end();
  CHECK(second.seen == std::vector<std::int64_t>{1});
}
