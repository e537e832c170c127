#include <random>

#include <catch2/catch.hpp>

#include "runtime/embedded/log/log_format.hpp"

namespace weir::test {

using namespace log_format;

namespace {

constexpr partition_id place{7, 3};

std::string sealed_record(const content& x, const std::string& key) {
  std::string bytes;
  append_record(bytes, x);
  seal(bytes.data(), bytes.size(), key);
  return bytes;
}

} // namespace

TEST_CASE("log format: a record comes back as it was") {
  header headers[] = {{"name", "value"}, {"", ""}};
  content x;
  x.timestamp = -5;
  x.key = "key";
  x.value = std::string_view{"\0\xff", 2};
  x.headers = headers;
  x.header_count = 2;
  auto key = record_key(place, 42);
  CHECK(offset_of(key) == 42);
  auto bytes = sealed_record(x, key);
  CHECK(bytes.size() <= size_of(x) + 8);
  auto read = decode_record(key, bytes);
  REQUIRE(read.has_value());
  CHECK(read->type == record_type::data);
  CHECK(read->timestamp == -5);
  CHECK(read->key == x.key);
  CHECK(read->value == x.value);
  std::vector<header> found;
  read_headers(read->headers, found);
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "name");
  CHECK(found[0].value == "value");
  CHECK(found[1].name.empty());
}

TEST_CASE("log format: absent and empty are different") {
  auto key = record_key(place, 0);
  auto none = sealed_record({}, key);
  auto read = decode_record(key, none);
  REQUIRE(read.has_value());
  CHECK_FALSE(read->key.has_value());
  CHECK_FALSE(read->value.has_value());
  CHECK(read->headers == nullptr);
  content x;
  x.key = "";
  x.value = "";
  auto empty = sealed_record(x, key);
  read = decode_record(key, empty);
  REQUIRE(read.has_value());
  CHECK(read->key == "");
  CHECK(read->value == "");
}

TEST_CASE("log format: a marker names its producer") {
  auto key = record_key(place, 9);
  auto bytes = encode_marker(12, "weir.job.id", 300);
  seal(bytes.data(), bytes.size(), key);
  auto read = decode_record(key, bytes);
  REQUIRE(read.has_value());
  CHECK(read->type == record_type::marker);
  CHECK(read->producer_id == "weir.job.id");
  CHECK(read->epoch == 300);
  CHECK(read->timestamp == 12);
}

TEST_CASE("log format: every wrong bit and every cut is noticed") {
  header headers[] = {{"h", "v"}};
  content x;
  x.key = "key";
  x.value = "a value";
  x.headers = headers;
  x.header_count = 1;
  auto key = record_key(place, 1);
  auto bytes = sealed_record(x, key);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    auto wrong = bytes;
    wrong[i / 8] = static_cast<char>(wrong[i / 8] ^ 1 << i % 8);
    REQUIRE_FALSE(decode_record(key, wrong).has_value());
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(decode_record(key, bytes.substr(0, size)).has_value());
  // The right bytes in the wrong place.
  CHECK_FALSE(decode_record(record_key(place, 2), bytes).has_value());
  CHECK_FALSE(decode_record(record_key({7, 4}, 1), bytes).has_value());
  CHECK(decode_record(key, bytes).has_value());
}

TEST_CASE("log format: garbage with a valid checksum is refused, not read") {
  std::mt19937 random{7};
  auto key = record_key(place, 1);
  int readable = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random());
    if (bytes.size() >= 6) {
      bytes[4] = static_cast<char>(1 + random() % 2);
      bytes[5] = static_cast<char>(random() % 8);
      seal(bytes.data(), bytes.size(), key);
    }
    auto x = decode_record(key, bytes);
    readable += x.has_value();
    std::vector<header> headers;
    if (x && x->headers != nullptr)
      read_headers(x->headers, headers);
    for (auto& h : headers)
      REQUIRE(h.name.data() + h.name.size() <= bytes.data() + bytes.size());
  }
  CHECK(readable > 0);
}

TEST_CASE("log format: keys sort by topic, partition and offset") {
  CHECK(record_key({1, 0}, 255) < record_key({1, 0}, 256));
  CHECK(record_key({1, 0}, 1ll << 40) < record_key({1, 1}, 0));
  CHECK(record_key({1, 9999}, 5) < record_key({2, 0}, 0));
  auto key = record_key({1, 2}, 3);
  set_offset(key, 4);
  CHECK(key == record_key({1, 2}, 4));
  CHECK(marker_index_key(place) < index_key(place, ""));
  // No group's keys are among another's.
  CHECK(group_prefix("ab").find(group_prefix("a")) != 0);
  auto found = group_partition(group_key("group", place));
  CHECK(found.topic == 7);
  CHECK(found.partition == 3);
}

TEST_CASE("log format: small values refuse another size") {
  CHECK(decode_bounds(encode(bounds{3, 9}))->high == 9);
  CHECK(decode_index_entry(encode(index_entry{5, true, 8}))->tombstone);
  CHECK(decode_producer_epoch(encode(producer_epoch{4, 2}))->epoch == 4);
  CHECK(decode_number(encode_number(77)) == 77);
  CHECK_FALSE(decode_bounds("short").has_value());
  CHECK_FALSE(decode_index_entry("short").has_value());
  CHECK_FALSE(decode_producer_epoch("short").has_value());
  CHECK_FALSE(decode_number("short").has_value());
}

} // namespace weir::test
