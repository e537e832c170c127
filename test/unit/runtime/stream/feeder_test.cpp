#include "runtime/stream/feeder.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "runtime/stream/partitioner.hpp"

using namespace weir;
using namespace std::chrono_literals;

namespace {

/// Time that passes only when someone waits.
class manual_timer : public feed_timer {
public:
  std::chrono::nanoseconds now() override { return now_; }
  void wait_until(std::chrono::nanoseconds when) override {
    now_ = std::max(now_, when);
  }

private:
  std::chrono::nanoseconds now_{0};
};

struct sent_record {
  std::string key;
  std::string value;
  std::int32_t partition;
  std::int64_t timestamp;
  std::chrono::nanoseconds at;
};

/// What a test wants to happen, and what did.
struct script {
  std::map<std::string, topic_settings> topics;
  std::map<std::int32_t, watermarks> marks;
  /// This many sends in a row are refused before each record is taken.
  int full_before_each = 0;
  /// Acknowledge at once, at flush, or never.
  enum { at_once, at_flush, never } acknowledge = at_flush;
  /// The number of the record whose delivery fails.
  int failing = -1;
  manual_timer timer;
  std::vector<sent_record> sent;
};

class fake_producer : public producer {
public:
  explicit fake_producer(script& s) : script_(s) {}

  result<topic_ref> open_topic(const std::string& topic) override {
    return topic_ref{0, script_.topics.at(topic).partitions};
  }
  result<void> send(const outgoing& x, delivery_listener* listener) override {
    if (refused_ < script_.full_before_each) {
      ++refused_;
      return fail(ec::queue_full, "full");
    }
    refused_ = 0;
    if (x.value->size() > 1000)
      return fail(ec::too_large, "1001 bytes");
    auto number = static_cast<int>(script_.sent.size());
    script_.sent.push_back({std::string{*x.key}, std::string{*x.value},
                            x.partition, x.timestamp, script_.timer.now()});
    if (number == script_.failing)
      listener->failed({ec::rejected, "not allowed"});
    else if (script_.acknowledge == script::at_once)
      listener->delivered(number);
    else
      waiting_.push_back(listener);
    return {};
  }
  result<void> flush(std::chrono::milliseconds limit) override {
    if (script_.acknowledge == script::never) {
      script_.timer.wait_until(script_.timer.now() + limit);
      return fail(ec::timed_out, "no broker");
    }
    for (auto* listener : waiting_)
      listener->delivered(-1);
    waiting_.clear();
    return {};
  }
  result<void> begin() override { return fail(ec::bad_argument, "plain"); }
  result<commit_report> commit() override {
    return fail(ec::bad_argument, "plain");
  }

private:
  script& script_;
  int refused_ = 0;
  std::vector<delivery_listener*> waiting_;
};

class fake_streams : public stream_system {
public:
  explicit fake_streams(script& s) : script_(s) {}

  std::string describe() const override { return "fake"; }
  result<std::optional<topic_settings>>
  describe_topic(const std::string& topic) override {
    auto found = script_.topics.find(topic);
    if (found == script_.topics.end())
      return std::nullopt;
    return found->second;
  }
  result<void> create_topic(const std::string& topic,
                            const topic_settings& settings) override {
    script_.topics[topic] = settings;
    return {};
  }
  result<watermarks> query_watermarks(const std::string&, std::int32_t p,
                                      isolation) override {
    return script_.marks[p];
  }
  result<std::unique_ptr<producer>> open_producer(producer_options) override {
    return std::make_unique<fake_producer>(script_);
  }

  result<void> delete_topic(const std::string&) override { return unused(); }
  result<void> delete_records(const std::string&,
                              const partition_offsets&) override {
    return unused();
  }
  result<std::vector<cluster_finding>>
  check_cluster(const std::vector<std::string>&) override {
    return unused();
  }
  result<int> broker_count() override { return unused(); }
  result<std::vector<std::optional<std::int64_t>>>
  group_offsets(const std::string&, const std::string&, int) override {
    return unused();
  }
  result<void> commit_group_offsets(
      const std::string&, const std::string&,
      const std::vector<std::pair<std::int32_t, std::int64_t>>&) override {
    return unused();
  }
  result<void> delete_group(const std::string&) override { return unused(); }
  result<std::unique_ptr<partition_reader>>
  open_reader(reader_options) override {
    return unused();
  }
  result<void> fence(const std::string&, std::chrono::milliseconds) override {
    return unused();
  }

private:
  static failure unused() {
    return fail(ec::rejected, "the feeder has no business here");
  }

  script& script_;
};

class numbers : public record_source {
public:
  explicit numbers(std::uint64_t count) : count_(count) {}
  result<bool> next(std::string& key, std::string& value) override {
    if (at_ == fail_at)
      return fail(ec::bad_format, "file line 7");
    if (at_ == count_)
      return false;
    key = "key-" + std::to_string(at_ % 50);
    value = at_ == huge_at ? std::string(1001, 'x') : std::to_string(at_);
    ++at_;
    return true;
  }
  std::optional<std::uint64_t> total() const override { return count_; }

  std::uint64_t fail_at = UINT64_MAX;
  std::uint64_t huge_at = UINT64_MAX;

private:
  std::uint64_t count_;
  std::uint64_t at_ = 0;
};

feed_options to_ticks() {
  feed_options out;
  out.topic = "ticks";
  return out;
}

result<feed_report> run(script& s, std::uint64_t count,
                        const feed_options& options = to_ticks()) {
  fake_streams streams{s};
  numbers source{count};
  return feed(streams, source, options, &s.timer);
}

} // namespace

TEST_CASE("feeding creates the topic and sends every record in order",
          "[feeder]") {
  script s;
  auto got = run(s, 1000);
  REQUIRE(got);
  CHECK(s.topics["ticks"].partitions == 8);
  CHECK(s.topics["ticks"].config ==
        std::map<std::string, std::string>{{"retention.ms", "-1"}});
  CHECK(got->records == 1000);
  REQUIRE(s.sent.size() == 1000);
  std::vector<std::uint64_t> counts(8);
  for (std::size_t i = 0; i < s.sent.size(); ++i) {
    auto& x = s.sent[i];
    if (x.value != std::to_string(i) || x.timestamp != -1 ||
        x.partition != partition_of(x.key, 8))
      FAIL(i);
    ++counts[static_cast<std::size_t>(x.partition)];
  }
  CHECK(got->per_partition == counts);
}

TEST_CASE("a missing topic gets the wanted partitions", "[feeder]") {
  script s;
  auto options = to_ticks();
  options.partitions = 3;
  auto got = run(s, 100, options);
  REQUIRE(got);
  CHECK(s.topics["ticks"].partitions == 3);
  CHECK(got->per_partition.size() == 3);

  options.partitions = 0;
  got = run(s, 100, options);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == ec::bad_argument);
}

TEST_CASE("a topic that has records is fed only by append", "[feeder]") {
  script s;
  s.topics["ticks"].partitions = 4;
  s.marks[3] = {5, 6};
  auto got = run(s, 10);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == ec::already_exists);
  CHECK(got.error().text().find("--append") != std::string::npos);
  CHECK(s.sent.empty());

  auto options = to_ticks();
  options.append = true;
  CHECK(run(s, 10, options));
  CHECK(s.sent.size() == 10);

  // Once had records, has none now.
  s.marks[3] = {6, 6};
  CHECK(run(s, 10));
}

TEST_CASE("a topic with another number of partitions is not fed", "[feeder]") {
  script s;
  s.topics["ticks"].partitions = 4;
  auto options = to_ticks();
  options.partitions = 8;
  auto got = run(s, 10, options);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == ec::bad_argument);
  CHECK(got.error().text().find("has 4 partitions, not 8") !=
        std::string::npos);
  options.partitions = 4;
  CHECK(run(s, 10, options));
}

TEST_CASE("a rate is kept as an absolute schedule", "[feeder]") {
  script s;
  auto options = to_ticks();
  options.rate = 20'000;
  std::vector<feed_progress> seen;
  options.on_progress = [&](const feed_progress& x) { seen.push_back(x); };
  auto got = run(s, 50'000, options);
  REQUIRE(got);
  REQUIRE(s.sent.size() == 50'000);
  for (std::size_t i = 0; i < s.sent.size(); ++i) {
    auto planned = std::chrono::nanoseconds{i * 50'000};
    if (s.sent[i].at < planned || s.sent[i].at > planned + 1ms)
      FAIL("record " << i << " was sent at " << s.sent[i].at.count() << " ns");
  }
  // After 1 s, 2 s and at the end.
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].sent >= 19'960);
  CHECK(seen[0].sent <= 20'040);
  CHECK(seen[2].sent == 50'000);
  CHECK(seen[2].acknowledged == 50'000);
  CHECK(seen[2].total == 50'000);
}

TEST_CASE("a slow start is made up for", "[feeder]") {
  script s;
  auto options = to_ticks();
  options.rate = 1000;
  // Half a second is lost at the first record.
  bool lost = false;
  options.stop = [&] {
    if (!lost && s.sent.size() == 1) {
      lost = true;
      s.timer.wait_until(500ms);
    }
    return false;
  };
  REQUIRE(run(s, 1000, options));
  CHECK(s.sent[999].at <= 1000ms);
  CHECK(s.sent[500].at <= 502ms);
}

TEST_CASE("a full queue delays records and loses none", "[feeder]") {
  script s;
  s.full_before_each = 3;
  s.acknowledge = script::at_once;
  auto got = run(s, 200);
  REQUIRE(got);
  REQUIRE(s.sent.size() == 200);
  for (std::size_t i = 0; i < s.sent.size(); ++i)
    CHECK(s.sent[i].value == std::to_string(i));
}

TEST_CASE("a delivery that fails ends the feeding with its reason",
          "[feeder]") {
  script s;
  s.failing = 300;
  auto got = run(s, 100'000);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == ec::rejected);
  CHECK(got.error().text() == "topic 'ticks': not allowed");
  CHECK(s.sent.size() < 2000);
}

TEST_CASE("a record that is refused is named", "[feeder]") {
  script s;
  fake_streams streams{s};
  numbers source{10};
  source.huge_at = 4;
  auto options = to_ticks();
  auto got = feed(streams, source, options, &s.timer);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == ec::too_large);
  CHECK(got.error().text().find("record 4, key 'key-4'") != std::string::npos);
}

TEST_CASE("a fault of the source ends the feeding behind what came before",
          "[feeder]") {
  script s;
  fake_streams streams{s};
  numbers source{10};
  source.fail_at = 5;
  auto options = to_ticks();
  auto got = feed(streams, source, options, &s.timer);
  REQUIRE(got);
  REQUIRE(got->problem);
  CHECK(got->problem->text() == "file line 7");
  // What came before it is written.
  CHECK(got->records == 5);
  CHECK(s.sent.size() == 5);
}

TEST_CASE("a broker that never answers ends the feeding after its patience",
          "[feeder]") {
  script s;
  s.acknowledge = script::never;
  auto options = to_ticks();
  options.patience = 10s;
  auto got = run(s, 10, options);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == ec::timed_out);
  CHECK(got.error().text().find("10 records") != std::string::npos);
  CHECK(s.timer.now() >= 10s);
  CHECK(s.timer.now() < 12s);
}

TEST_CASE("a stop ends the feeding early with a true count", "[feeder]") {
  script s;
  auto options = to_ticks();
  options.stop = [&] { return s.sent.size() >= 700; };
  auto got = run(s, 100'000, options);
  REQUIRE(got);
  CHECK(got->records == s.sent.size());
  CHECK(got->records == 700);

  // Also while the queue stays full for good.
  s.sent.clear();
  s.full_before_each = 1'000'000'000;
  options.stop = [&] { return s.timer.now() > 5s; };
  got = run(s, 10, options);
  REQUIRE(got);
  CHECK(got->records == 0);
}
