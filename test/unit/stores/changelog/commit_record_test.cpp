#include <catch2/catch.hpp>

#include <random>

#include "runtime/bytes/checksum.hpp"
#include "stores/changelog/commit_record.hpp"
#include "stores/database/metadata.hpp"
#include "test/driver/memory_backend.hpp"
#include "test/unit/stores/changelog/changelog_support.hpp"

namespace weir {
namespace {

commit_record sample() {
  commit_record x;
  x.generation = "generation-1";
  x.by = {{0x0102030405060708u, 0x1112131415161718u}, 3, 9};
  x.number = 12;
  x.previous = 0xfedcba9876543210u;
  x.record_count = 2;
  x.records_checksum = 77;
  x.inputs = {{"ticks", 100, fingerprint{99, 1234, 5678}},
              {"orders", 0, std::nullopt}};
  x.state_digest = 42;
  x.wall_clock_ms = 1'700'000'000'000;
  return x;
}

/// `bytes` with a checksum that fits.
std::string sealed(std::string bytes) {
  auto sum = hash_bytes(bytes);
  for (int i = 0; i < 8; ++i)
    bytes += static_cast<char>(sum >> (8 * i));
  return bytes;
}

std::string body(const commit_record& x) {
  auto bytes = encode(x);
  bytes.resize(bytes.size() - 8);
  return bytes;
}

TEST_CASE("a commit record comes back as it was") {
  auto x = sample();
  auto back = decode_commit(encode(x));
  REQUIRE(back);
  CHECK(*back == x);
  x.inputs.clear();
  CHECK(decode_commit(encode(x)).value() == x);
}

TEST_CASE("the bytes of a commit record are those of the documented format") {
  commit_record x;
  x.generation = "g";
  x.by = {{1, 2}, 3, 4};
  x.previous = 5;
  x.record_count = 6;
  x.records_checksum = 7;
  x.state_digest = 8;
  x.wall_clock_ms = 9;
  x.inputs = {{"t", 10, fingerprint{9, 11, 12}}};
  x.number = 13;
  auto number = [](char low) { return std::string{low} + std::string(7, 0); };
  std::string expected = "\x02\x01g\x01";
  for (char i = 1; i <= 9; ++i)
    expected += number(i);
  // Fields: id, whether it must be known, size, bytes.
  expected += std::string{"\1\0\1\x28\0\0\0", 7};
  expected += std::string{"\1\0\0\0", 4} + std::string{"\1\0t", 3};
  expected += number(10) + '\1' + number(9) + number(11) + number(12);
  expected += std::string{"\2\0\1\x8\0\0\0", 7} + number(13);
  CHECK(encode(x) == sealed(expected));
  CHECK(checksum(x) == hash_bytes(expected));
}

TEST_CASE("a commit record cut off at any byte is refused") {
  auto bytes = encode(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto cut = decode_commit(std::string_view{bytes}.substr(0, size));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code() == ec::bad_format);
    // With a checksum that fits, the bounds are what refuses it.
    if (size == bytes.size() - 8)
      continue; // the whole body
    auto forged = decode_commit(sealed(bytes.substr(0, size)));
    REQUIRE_FALSE(forged);
    CHECK(forged.error().code() == ec::bad_format);
  }
}

TEST_CASE("a commit record with any changed byte is refused") {
  auto bytes = encode(sample());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    CHECK_FALSE(decode_commit(changed));
  }
}

TEST_CASE("hostile bytes never decode to a record that differs from them") {
  std::mt19937_64 random{1};
  auto original = body(sample());
  int accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    auto bytes = original;
    for (auto n = 1 + random() % 4; n > 0; --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0)
      bytes.resize(random() % (bytes.size() + 1));
    if (random() % 4 == 0)
      bytes.append(random() % 20, static_cast<char>(random()));
    bytes = sealed(bytes);
    auto decoded = decode_commit(bytes);
    if (!decoded) {
      CHECK(decoded.error().code() == ec::bad_format);
      continue;
    }
    ++accepted;
    CHECK(encode(*decoded) == bytes);
  }
  CHECK(accepted > 0);
}

TEST_CASE("a count of inputs that the bytes cannot hold is not believed") {
  auto x = sample();
  x.inputs.clear();
  auto bytes = body(x);
  // The count is all that this field holds; the next has 15 bytes.
  bytes.replace(bytes.size() - 15 - 4, 4, "\xff\xff\xff\xff");
  auto decoded = decode_commit(sealed(bytes));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().text() ==
        "commit record: more inputs than it has room for");
}

TEST_CASE("R3: an input that is listed without a position is an error") {
  auto x = sample();
  x.inputs = {{"ticks", 0, std::nullopt}};
  auto bytes = body(x);
  // The position is the 8 bytes before the last one; the next field has 15.
  bytes.replace(bytes.size() - 15 - 9, 8, std::string(8, '\xff'));
  auto decoded = decode_commit(sealed(bytes));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().text() ==
        "commit record: input 'ticks' is listed without a position");
}

TEST_CASE("an input listed twice is refused") {
  auto x = sample();
  x.inputs[1].topic = "ticks";
  auto decoded = decode_commit(encode(x));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code() == ec::bad_format);
}

TEST_CASE("a newer format is named as such") {
  auto bytes = body(sample());
  bytes[0] = 3;
  auto decoded = decode_commit(sealed(bytes));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().text().find("newer") != std::string::npos);
  auto header = encode(sample().by);
  header[0] = 2;
  auto origin = decode_origin(header);
  REQUIRE_FALSE(origin);
  CHECK(origin.error().text().find("newer") != std::string::npos);
}

TEST_CASE("an older format is refused with what to do") {
  auto bytes = body(sample());
  bytes[0] = 1;
  auto decoded = decode_commit(sealed(bytes));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code() == ec::bad_format);
  CHECK(decoded.error().text().find("`reset`") != std::string::npos);
}

/// A field of a version to come.
std::string field(char id, char must_know, const std::string& content) {
  return std::string{id, '\0', must_know, static_cast<char>(content.size()),
                     '\0', '\0', '\0'} +
         content;
}

TEST_CASE("a field of a newer weir is passed over and kept, or refused") {
  auto newer = field(7, 0, "horizon") + field(9, 0, "");
  auto bytes = sealed(body(sample()) + newer);
  auto decoded = decode_commit(bytes);
  REQUIRE(decoded);
  CHECK(decoded->unknown_fields == newer);
  CHECK(decoded->inputs == sample().inputs);
  // The next commit names it by its checksum.
  CHECK(encode(*decoded) == bytes);
  CHECK(checksum(*decoded) != checksum(sample()));
  auto refused = decode_commit(sealed(body(sample()) + field(7, 1, "level")));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text() ==
        "commit record: field 7 is not known to this version: written by a "
        "newer weir");
}

TEST_CASE("fields that are missing, twice or out of order are refused") {
  auto whole = body(sample());
  CHECK_FALSE(decode_commit(sealed(whole.substr(0, whole.size() - 15))));
  CHECK_FALSE(decode_commit(sealed(whole + whole.substr(whole.size() - 15))));
  CHECK_FALSE(
      decode_commit(sealed(whole + field(9, 0, "") + field(7, 0, ""))));
  CHECK_FALSE(decode_commit(sealed(whole + field(7, 2, ""))));
  auto uncounted = sample();
  uncounted.number = 1;
  auto bytes = body(uncounted);
  bytes[bytes.size() - 8] = 0;
  CHECK_FALSE(decode_commit(sealed(bytes)));
}

TEST_CASE("the checksum chains everything in a commit record") {
  auto x = sample();
  auto before = checksum(x);
  x.inputs[0].next_offset = 101;
  CHECK(checksum(x) != before);
}

TEST_CASE("an origin comes back as it was, in 33 bytes") {
  auto x = sample().by;
  CHECK(encode(x).size() == 33);
  CHECK(decode_origin(encode(x)).value() == x);
  auto bytes = encode(x);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_origin(bytes.substr(0, size)));
  CHECK_FALSE(decode_origin(bytes + 'x'));
  CHECK_FALSE(decode_origin(std::string(33, '\0')));
}

TEST_CASE("origins are ordered by epoch, then by sequence") {
  origin x{{}, 1, 9};
  CHECK(before(x, {{}, 2, 1}));
  CHECK(before(x, {{}, 1, 10}));
  CHECK_FALSE(before(x, x));
  CHECK_FALSE(before({{}, 2, 1}, x));
}

TEST_CASE("attack 37: a record without exactly our header is foreign") {
  test::stored_record x{
      .offset = 5, .key = "k", .value = "v", .header = encode(sample().by)};
  CHECK(origin_of(x.view()).value() == sample().by);
  x.second_header = true;
  CHECK(origin_of(x.view()).error().code() == ec::corruption);
  x.second_header = false;
  x.header_name = "v";
  CHECK(origin_of(x.view()).error().code() == ec::corruption);
  x.header_name = origin_header;
  x.header = "short";
  CHECK(origin_of(x.view()).error().code() == ec::corruption);
  x.header.reset();
  auto foreign = origin_of(x.view());
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code() == ec::corruption);
  CHECK(foreign.error().text().find("offset 5") != std::string::npos);
}

TEST_CASE("a lane id is 32 hex digits") {
  auto x = parse_lane_id("0123456789abcdef00000000000000ff");
  REQUIRE(x);
  CHECK(x->high == 0x0123456789abcdefu);
  CHECK(x->low == 0xffu);
  CHECK(to_string(*x) == "0123456789abcdef00000000000000ff");
  for (auto bad : {"", "0123", "0123456789ABCDEF00000000000000ff",
                   "-123456789abcdef00000000000000ff0",
                   "0123456789abcdef00000000000000fg"})
    CHECK(parse_lane_id(bad).error().code() == ec::bad_format);
}

TEST_CASE("R5: fingerprints tell records apart") {
  auto print = [](std::optional<std::string> key,
                  std::optional<std::string> value) {
    test::stored_record x;
    x.offset = 5;
    x.key = std::move(key);
    x.value = std::move(value);
    return fingerprint_of(x.view());
  };
  auto base = print("k", "v");
  CHECK(base.offset == 5);
  CHECK(base.timestamp == 1005);
  CHECK(base == print("k", "v"));
  CHECK_FALSE(base == print("k", "w"));
  CHECK_FALSE(base == print("kv", ""));
  CHECK_FALSE(print("", "v") == print(std::nullopt, "v"));
  CHECK_FALSE(print("k", "") == print("k", std::nullopt));
}

TEST_CASE("the key of a commit record can be that of no store") {
  CHECK(commit_key == std::string_view{"\0c", 2});
  CHECK_FALSE(is_store_key(commit_key));
}

// -- metadata

TEST_CASE("metadata of a commit is found again") {
  memory_backend store;
  auto x = sample();
  REQUIRE(store.write(commit_metadata(x, 17), false));
  auto metadata = read_metadata(store);
  REQUIRE(metadata);
  CHECK(metadata->commit == x);
  CHECK(metadata->position == changelog_position{17, x.by, checksum(x)});
  CHECK(metadata->generation == x.generation);
  CHECK_FALSE(metadata->restoring_since);
  CHECK_FALSE(metadata->closed_cleanly);
}

TEST_CASE("R6: an acknowledgement without an offset leaves the old position") {
  memory_backend store;
  auto first = sample();
  REQUIRE(store.write(commit_metadata(first, 17), false));
  auto second = sample();
  second.by.sequence = 10;
  REQUIRE(store.write(commit_metadata(second, std::nullopt), false));
  auto metadata = read_metadata(store);
  REQUIRE(metadata);
  CHECK(metadata->commit == second);
  CHECK(metadata->position->offset == 17);
  CHECK(metadata->position->by == first.by);
}

TEST_CASE("damaged metadata says so") {
  for (auto name : {commit_key, metadata_key::position, metadata_key::restoring,
                    metadata_key::generation}) {
    memory_backend store;
    REQUIRE(store.write(commit_metadata(sample(), 17), false));
    change_batch damage;
    damage.put(name, "?");
    REQUIRE(store.write(damage, false));
    auto metadata = read_metadata(store);
    REQUIRE_FALSE(metadata);
    CHECK(metadata.error().code() == ec::damaged);
  }
}

} // namespace
} // namespace weir
