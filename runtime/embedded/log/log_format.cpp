#include "runtime/embedded/log/log_format.hpp"

#include <cstring>

#include <xxhash.h>

#include "runtime/leveldb/database.hpp"

namespace weir::log_format {

namespace {

// A record: crc u32 | type u8 | flags u8 | timestamp i64 | sections.
constexpr std::size_t type_at = 4;
constexpr std::size_t flags_at = 5;
constexpr std::size_t timestamp_at = 6;
constexpr std::size_t sections_at = 14;
constexpr char flag_key = 1;
constexpr char flag_value = 2;
constexpr char flag_headers = 4;

/// Big-endian: keys sort as numbers.
template <class T>
void append_key_number(std::string& out, T x) {
  for (int shift = 8 * (sizeof(T) - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint64_t>(x) >> shift);
}

std::uint64_t read_key_number(std::string_view bytes) {
  std::uint64_t x = 0;
  for (auto c : bytes)
    x = x << 8 | static_cast<unsigned char>(c);
  return x;
}

/// Values are little-endian, as every machine we run on.
template <class T>
void append_fixed(std::string& out, T x) {
  char bytes[sizeof x];
  std::memcpy(bytes, &x, sizeof x);
  out.append(bytes, sizeof x);
}

template <class T>
T read_fixed(const char* at) {
  T x;
  std::memcpy(&x, at, sizeof x);
  return x;
}

void append_varint(std::string& out, std::uint64_t x) {
  for (; x >= 0x80; x >>= 7)
    out += static_cast<char>(x | 0x80);
  out += static_cast<char>(x);
}

/// Reads sections; `ok` turns false at the first that does not fit.
struct cursor {
  const char* at;
  const char* end;
  bool ok = true;

  std::uint64_t varint() {
    std::uint64_t x = 0;
    for (int shift = 0; shift < 64 && at != end; shift += 7) {
      auto byte = static_cast<unsigned char>(*at++);
      x |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80)
        return x;
    }
    ok = false;
    return 0;
  }

  std::string_view bytes() {
    auto size = varint();
    if (!ok || size > static_cast<std::uint64_t>(end - at)) {
      ok = false;
      return {};
    }
    std::string_view x{at, static_cast<std::size_t>(size)};
    at += size;
    return x;
  }
};

void append_bytes(std::string& out, std::string_view x) {
  append_varint(out, x.size());
  out += x;
}

std::string family(char which) {
  return {key_space::streams, which};
}

std::string topic_family(char which, std::uint32_t topic) {
  auto key = family(which);
  append_key_number(key, topic);
  return key;
}

std::string partition_family(char which, partition_id id) {
  auto key = topic_family(which, id.topic);
  append_key_number(key, static_cast<std::uint32_t>(id.partition));
  return key;
}

std::uint32_t checksum(std::string_view key, const char* record,
                       std::size_t size) {
  auto place = XXH3_64bits(key.data(), key.size());
  return static_cast<std::uint32_t>(
      XXH3_64bits_withSeed(record + type_at, size - type_at, place));
}

/// Walks a header section, whose size must be that of its content.
void skip_headers(cursor& in) {
  auto left = static_cast<std::size_t>(in.end - in.at);
  if (!in.ok || left < 4 ||
      read_fixed<std::uint32_t>(in.at) != left - sizeof(std::uint32_t)) {
    in.ok = false;
    return;
  }
  in.at += sizeof(std::uint32_t);
  auto count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok; ++i) {
    in.bytes();
    in.bytes();
  }
}

void append_head(std::string& out, record_type type, char flags,
                 std::int64_t timestamp) {
  append_fixed(out, std::uint32_t{0});
  out += static_cast<char>(type);
  out += flags;
  append_fixed(out, timestamp);
}

} // namespace

// -- keys

std::string next_topic_key() {
  return family('n');
}
std::string topic_prefix() {
  return family('t');
}
std::string topic_key(std::string_view name) {
  return family('t').append(name);
}
std::string doomed_prefix() {
  return family('x');
}
std::string doomed_key(std::uint32_t topic) {
  return topic_family('x', topic);
}
std::string partitions_prefix(std::uint32_t topic) {
  return topic_family('p', topic);
}
std::string records_prefix(std::uint32_t topic) {
  return topic_family('r', topic);
}
std::string index_prefix(std::uint32_t topic) {
  return topic_family('k', topic);
}
std::string bounds_key(partition_id id) {
  return partition_family('p', id);
}
std::string records_prefix(partition_id id) {
  return partition_family('r', id);
}

std::string record_key(partition_id id, std::int64_t offset) {
  auto key = records_prefix(id);
  append_key_number(key, offset);
  return key;
}

void set_offset(std::string& record_key, std::int64_t offset) {
  record_key.resize(record_key.size() - sizeof offset);
  append_key_number(record_key, offset);
}

std::string index_prefix(partition_id id) {
  return partition_family('k', id);
}
std::string marker_index_key(partition_id id) {
  return index_prefix(id) + '\0';
}
std::string index_key(partition_id id, std::string_view key) {
  return (index_prefix(id) + '\1').append(key);
}

std::string epoch_prefix() {
  return family('e');
}
std::string epoch_key(std::string_view transactional_id) {
  return family('e').append(transactional_id);
}

std::string group_prefix() {
  return family('g');
}
std::string group_prefix(std::string_view group) {
  auto key = family('g');
  append_key_number(key, static_cast<std::uint32_t>(group.size()));
  return key.append(group);
}
std::string group_key(std::string_view group, partition_id id) {
  auto key = group_prefix(group);
  append_key_number(key, id.topic);
  append_key_number(key, static_cast<std::uint32_t>(id.partition));
  return key;
}

std::int64_t offset_of(std::string_view key) {
  return key.size() < 8 ? -1
                        : static_cast<std::int64_t>(
                              read_key_number(key.substr(key.size() - 8)));
}

std::uint32_t doomed_topic(std::string_view key) {
  return key.size() < 4 ? 0
                        : static_cast<std::uint32_t>(
                              read_key_number(key.substr(key.size() - 4)));
}

partition_id group_partition(std::string_view key) {
  auto both = static_cast<std::uint64_t>(offset_of(key));
  return {static_cast<std::uint32_t>(both >> 32),
          static_cast<std::int32_t>(both & 0xffffffffu)};
}

// -- small values

std::string encode(const bounds& x) {
  std::string out;
  append_fixed(out, x.low);
  append_fixed(out, x.high);
  return out;
}

std::optional<bounds> decode_bounds(std::string_view bytes) {
  if (bytes.size() != 16)
    return {};
  return bounds{read_fixed<std::int64_t>(bytes.data()),
                read_fixed<std::int64_t>(bytes.data() + 8)};
}

std::string encode(const index_entry& x) {
  std::string out;
  append_fixed(out, x.offset);
  append_fixed(out, x.appended);
  out += static_cast<char>(x.tombstone);
  return out;
}

std::optional<index_entry> decode_index_entry(std::string_view bytes) {
  if (bytes.size() != 17)
    return {};
  return index_entry{read_fixed<std::int64_t>(bytes.data()), bytes[16] != 0,
                     read_fixed<std::int64_t>(bytes.data() + 8)};
}

std::string encode(const producer_epoch& x) {
  std::string out;
  append_fixed(out, x.epoch);
  append_fixed(out, x.initialised);
  return out;
}

std::optional<producer_epoch> decode_producer_epoch(std::string_view bytes) {
  if (bytes.size() != 16)
    return {};
  return producer_epoch{read_fixed<std::uint64_t>(bytes.data()),
                        read_fixed<std::int64_t>(bytes.data() + 8)};
}

std::string encode_number(std::uint64_t x) {
  std::string out;
  append_fixed(out, x);
  return out;
}

std::optional<std::uint64_t> decode_number(std::string_view bytes) {
  if (bytes.size() != 8)
    return {};
  return read_fixed<std::uint64_t>(bytes.data());
}

// -- records

std::size_t size_of(const content& x) noexcept {
  auto bytes = sections_at + 6 + (x.key ? x.key->size() : 0) +
               (x.value ? x.value->size() : 0);
  for (std::size_t i = 0; i < x.header_count; ++i)
    bytes += x.headers[i].name.size() + x.headers[i].value.size() + 4;
  return bytes;
}

void append_record(std::string& out, const content& x) {
  char flags =
      static_cast<char>((x.key ? flag_key : 0) | (x.value ? flag_value : 0) |
                        (x.header_count != 0 ? flag_headers : 0));
  append_head(out, record_type::data, flags, x.timestamp);
  if (x.key)
    append_bytes(out, *x.key);
  if (x.value)
    append_bytes(out, *x.value);
  if (x.header_count == 0)
    return;
  auto size_at = out.size();
  append_fixed(out, std::uint32_t{0});
  append_varint(out, x.header_count);
  for (std::size_t i = 0; i < x.header_count; ++i) {
    append_bytes(out, x.headers[i].name);
    append_bytes(out, x.headers[i].value);
  }
  auto size = static_cast<std::uint32_t>(out.size() - size_at - 4);
  std::memcpy(out.data() + size_at, &size, sizeof size);
}

std::string encode_marker(std::int64_t timestamp, std::string_view producer_id,
                          std::uint64_t epoch) {
  std::string out;
  append_head(out, record_type::marker, 0, timestamp);
  append_bytes(out, producer_id);
  append_varint(out, epoch);
  return out;
}

void set_timestamp(char* record, std::int64_t timestamp) noexcept {
  std::memcpy(record + timestamp_at, &timestamp, sizeof timestamp);
}

void seal(char* record, std::size_t size, std::string_view key) noexcept {
  auto crc = checksum(key, record, size);
  std::memcpy(record, &crc, sizeof crc);
}

std::optional<stored> decode_record(std::string_view key,
                                    std::string_view bytes) {
  if (bytes.size() < sections_at ||
      read_fixed<std::uint32_t>(bytes.data()) !=
          checksum(key, bytes.data(), bytes.size()))
    return {};
  return parse_record(bytes);
}

std::optional<stored> parse_record(std::string_view bytes) {
  if (bytes.size() < sections_at)
    return {};
  stored x;
  x.type = static_cast<record_type>(bytes[type_at]);
  x.timestamp = read_fixed<std::int64_t>(bytes.data() + timestamp_at);
  auto flags = bytes[flags_at];
  cursor in{bytes.data() + sections_at, bytes.data() + bytes.size()};
  if (x.type == record_type::marker) {
    x.producer_id = in.bytes();
    x.epoch = in.varint();
  } else if (x.type != record_type::data) {
    return {};
  }
  if (flags & flag_key)
    x.key = in.bytes();
  if (flags & flag_value)
    x.value = in.bytes();
  if (flags & flag_headers) {
    x.headers = in.at;
    skip_headers(in);
  }
  if (!in.ok || in.at != in.end)
    return {};
  return x;
}

void read_headers(const void* section, std::vector<header>& out) {
  auto* at = static_cast<const char*>(section);
  auto size = read_fixed<std::uint32_t>(at);
  cursor in{at + sizeof size, at + sizeof size + size};
  auto count = in.varint();
  for (std::uint64_t i = 0; i < count; ++i) {
    auto name = in.bytes();
    out.push_back({name, in.bytes()});
  }
}

} // namespace weir::log_format
