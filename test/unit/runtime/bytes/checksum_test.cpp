// Checksums and raw keys.
#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/bytes/checksum.hpp"
#include "stores/changelog/raw_key.hpp"

namespace weir {
namespace {

using change = std::pair<std::string, std::optional<std::string>>;

std::uint64_t checksum_of(const std::vector<change>& changes) {
  record_checksum sum;
  for (auto& [key, value] : changes)
    sum.add(key,
            value ? std::optional<std::string_view>{*value} : std::nullopt);
  CHECK(sum.count() == changes.size());
  return sum.value();
}

} // namespace

// These bytes are in commit records of running jobs: if this fails, the format
// has changed and needs a new version.
TEST_CASE("hashes do not change between releases", "[checksum]") {
  CHECK(hash_bytes("") == 0x2d06800538d394c2u);
  CHECK(entry_hash("\x01key", "value") == 0xaf6982417bec3acbu);
  CHECK(checksum_of({{"a", "1"}, {"b", std::nullopt}}) == 0xcb7718481682507eu);
}

TEST_CASE("an entry's hash depends on where the key ends", "[checksum]") {
  CHECK(entry_hash("ab", "c") != entry_hash("a", "bc"));
  CHECK(entry_hash("a", "") != entry_hash("", "a"));
}

TEST_CASE("the checksum of records sees what a torn log does", "[checksum]") {
  auto whole = checksum_of({{"a", "1"}, {"b", "2"}});
  CHECK(checksum_of({}) == 0);
  CHECK(checksum_of({{"b", "2"}, {"a", "1"}}) != whole);
  CHECK(checksum_of({{"a", "1"}}) != whole);
  CHECK(checksum_of({{"a", "1"}, {"b", ""}}) != whole);
  CHECK(checksum_of({{"a", "1"}, {"b", ""}}) !=
        checksum_of({{"a", "1"}, {"b", std::nullopt}}));
  CHECK(checksum_of({{"a", "1b"}, {"", "2"}}) != whole);
}

TEST_CASE("raw keys: stores and what is reserved", "[raw_key]") {
  CHECK_FALSE(is_store_key(""));
  CHECK_FALSE(is_store_key(std::string_view("\0commit", 7)));
  CHECK(is_store_key("\x01"));
  CHECK(is_store_key("\xfa-key"));
  CHECK_FALSE(is_store_key("\xfb"));
}

TEST_CASE("the end of a prefix carries over 0xff", "[raw_key]") {
  CHECK(after_prefix("\x01") == "\x02");
  CHECK(after_prefix("\x01"
                     "ab") == "\x01"
                              "ac");
  CHECK(after_prefix("\x01"
                     "a\xff\xff") == "\x01"
                                     "b");
  CHECK(after_prefix("\x01\xff") == "\x02");
  CHECK(after_prefix("\xfa\xff") == state_end());
}

} // namespace weir
