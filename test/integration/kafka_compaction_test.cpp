// Reading a topic whose tail was compacted under tiny segments.
#include "test/integration/kafka_fixture.hpp"

#include <map>

using namespace weir;
using namespace weir::test;

namespace {

constexpr int keys = 10;

std::string make_compacted(stream_system& kafka) {
  return make_topic(kafka, 1,
                    {{"cleanup.policy", "compact"},
                     {"segment.bytes", "2048"},
                     {"min.cleanable.dirty.ratio", "0.01"},
                     {"delete.retention.ms", "0"}});
}

/// Writes `rounds` values to each key, one transaction a round.
void write_rounds(stream_system& kafka, const std::string& topic, int rounds) {
  auto producer = transactional(kafka, fresh_name("id"));
  auto ref = need(producer->open_topic(topic));
  for (int round = 0; round < rounds; ++round) {
    need(producer->begin());
    for (int key = 0; key < keys; ++key)
      need(producer->send(text_record(ref, "key" + std::to_string(key),
                                      std::to_string(round))));
    need(producer->commit());
  }
}

} // namespace

TEST_CASE("a compacted partition is read to its end over the gaps") {
  auto kafka = open_system();
  auto topic = make_compacted(*kafka);
  constexpr int rounds = 60;
  write_rounds(*kafka, topic, rounds);
  // The last marker may be written after the commit was answered.
  constexpr std::int64_t high = rounds * (keys + 1);
  reading{*kafka, topic}.to(high);

  // The broker's cleaner says nothing; a fresh reader sees what it did. Each
  // round of the loop reads the whole log from the broker.
  std::size_t records = rounds * keys;
  auto deadline = std::chrono::steady_clock::now() + 60s;
  while (records > rounds * keys / 2) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    reading in{*kafka, topic};
    records = in.to_end().size();
    // Markers and gaps are behind it: the end is a position, not a record.
    REQUIRE(in.native().position() == high);
    std::map<std::string, std::string> state;
    std::int64_t last = -1;
    for (auto& each : in.records()) {
      REQUIRE(each.offset > last);
      last = each.offset;
      state[*each.key] = *each.value;
    }
    REQUIRE(state.size() == keys);
    for (auto& [key, value] : state)
      REQUIRE(value == std::to_string(rounds - 1));
  }
}

TEST_CASE("a reader that compaction overtakes goes on in order") {
  auto kafka = open_system();
  auto topic = make_compacted(*kafka);
  write_rounds(*kafka, topic, 5);
  reading slow{*kafka, topic};
  slow.to(5 * (keys + 1));
  write_rounds(*kafka, topic, 60);
  slow.to(65 * (keys + 1));
  std::int64_t last = -1;
  for (auto& each : slow.records()) {
    REQUIRE(each.offset > last);
    last = each.offset;
  }
  CHECK(slow.records().back().value == "59");
}
