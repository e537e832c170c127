// The embedded log on a disk that loses what was not synced: a crash at every
// file operation, of the process and of the power.
#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "runtime/embedded/log/streams.hpp"
#include "test/driver/file_env.hpp"

namespace weir::test {

namespace {

/// Commit n writes n to both partitions of "out", and to the compacted topic
/// "state" under one of five keys.
class crashing_log {
public:
  /// One life: opens the log, checks it, and commits until `last` or an error.
  /// True when it came to its end.
  bool live(int last) {
    auto files = disk.current();
    auto opened = open(*files);
    if (!opened)
      return failed(opened.error());
    auto& streams = **opened;
    auto done = create_topics(streams);
    if (!done)
      return failed(done.error());
    check(streams);
    done = commit_until(streams, last);
    return done || failed(done.error());
  }

  void crash(bool power) {
    auto random = [this] { return dice(); };
    if (power)
      disk.crash_power(random);
    else
      disk.crash_process();
  }

  file_env disk;
  /// Answered with success, and begun.
  int acknowledged = 0;
  int attempted = 0;
  std::mt19937_64 dice{1};

private:
  result<std::unique_ptr<stream_system>> open(environment& files) {
    embedded_options options;
    options.directory = "/weir-crash-test/data";
    options.env = &files.native();
    options.run_background = [&files] { files.run_scheduled(); };
    options.write_buffer_bytes = 64 << 10;
    auto database = open_embedded(options, *world);
    if (!database)
      return fail(database.error());
    return make_embedded_streams(std::move(*database), world, {false});
  }

  static result<void> create_topics(stream_system& streams) {
    std::map<std::string, topic_settings> wanted;
    wanted["out"].partitions = 2;
    wanted["state"].partitions = 1;
    wanted["state"].config = {{"cleanup.policy", "compact"}};
    for (auto& [name, settings] : wanted) {
      auto found = streams.describe_topic(name);
      if (!found)
        return fail(found.error());
      if (found->has_value())
        continue;
      auto created = streams.create_topic(name, settings);
      if (!created)
        return created;
    }
    return {};
  }

  result<void> commit_until(stream_system& streams, int last) {
    producer_options options;
    options.transactional_id = "id";
    auto opened = streams.open_producer(options);
    if (!opened)
      return fail(opened.error());
    auto& producer = **opened;
    auto out = producer.open_topic("out");
    auto state = producer.open_topic("state");
    REQUIRE(out);
    REQUIRE(state);
    while (acknowledged < last) {
      attempted = acknowledged + 1;
      auto value = std::to_string(attempted) + filler;
      auto key = std::to_string(attempted % 5);
      REQUIRE(producer.begin());
      for (auto& [topic, partition] :
           {std::pair{*out, 0}, std::pair{*out, 1}, std::pair{*state, 0}}) {
        outgoing x;
        x.topic = topic;
        x.partition = partition;
        x.key = key;
        x.value = value;
        REQUIRE(producer.send(x));
      }
      auto done = producer.commit();
      if (!done)
        return fail(done.error());
      acknowledged = attempted;
    }
    return {};
  }

  std::vector<int> read(stream_system& streams, const std::string& topic,
                        std::int32_t partition) {
    reader_options options;
    options.topic = topic;
    options.partition = partition;
    auto reader = streams.open_reader(options);
    REQUIRE(reader);
    std::vector<int> out;
    record_batch batch;
    do {
      REQUIRE((*reader)->poll(batch, 1000));
      for (auto& x : batch.records())
        out.push_back(std::stoi(std::string{*x.value()}));
    } while (!(*reader)->at_end());
    return out;
  }

  /// All or nothing of each commit, and all of what was acknowledged.
  void check(stream_system& streams) {
    auto first = read(streams, "out", 0);
    int count = static_cast<int>(first.size());
    INFO("acknowledged " << acknowledged << ", begun " << attempted
                         << ", found " << count);
    REQUIRE(count >= acknowledged);
    REQUIRE(count <= attempted);
    for (int i = 0; i < count; ++i)
      REQUIRE(first[i] == i + 1);
    REQUIRE(read(streams, "out", 1) == first);
    // Of each of the five keys the last.
    std::vector<int> last;
    for (int i = std::max(0, count - 5); i < count; ++i)
      last.push_back(i + 1);
    REQUIRE(read(streams, "state", 0) == last);
    acknowledged = attempted = count;
  }

  /// Nothing but the crash makes the log fail.
  bool failed(const error& why) {
    INFO(to_string(why));
    REQUIRE(disk.crashed());
    return false;
  }

  std::shared_ptr<outside_world> world = make_outside_world();
  const std::string filler = std::string(3000, 'x');
};

constexpr int commits = 40;

} // namespace

TEST_CASE("embedded log: a crash at every file operation") {
  auto power = GENERATE(false, true);
  std::uint64_t operations = 0;
  {
    crashing_log whole;
    REQUIRE(whole.live(commits));
    operations = whole.disk.operations();
  }
  // It has gone through flushes and compactions.
  REQUIRE(operations > 200);
  for (std::uint64_t at = 1; at <= operations; ++at) {
    INFO((power ? "power" : "process") << " crash at operation " << at);
    crashing_log x;
    x.dice.seed(at);
    x.disk.inject(at, file_fault::crash);
    // The very last operations belong to the close.
    x.live(commits);
    x.crash(power);
    REQUIRE(x.live(commits));
    REQUIRE(x.acknowledged == commits);
    // What the second life found must also be there in the third.
    x.crash(power);
    REQUIRE(x.live(commits + 1));
  }
}

} // namespace weir::test
