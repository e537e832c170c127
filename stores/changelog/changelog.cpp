#include "stores/changelog/changelog.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/bytes/binary.hpp"
#include "runtime/bytes/checksum.hpp"

namespace weir {

namespace {

constexpr std::uint8_t origin_format = 1;
constexpr std::uint8_t commit_format = 1;
constexpr std::size_t max_generation = 64;
/// Kafka's limit of a topic name.
constexpr std::size_t max_topic = 249;
/// Bytes of an input with an empty topic: what bounds the number of inputs
/// before anything is allocated.
constexpr std::size_t least_input = 2 + 8 + 1;
/// Seed of a fingerprint of a record without a key.
constexpr std::uint64_t keyless = 1;

void write(detail::binary_writer& out, const origin& x) {
  out.u64(x.lane.high);
  out.u64(x.lane.low);
  out.u64(x.epoch);
  out.u64(x.sequence);
}

origin read_origin(detail::binary_reader& in) {
  origin x;
  x.lane.high = in.u64();
  x.lane.low = in.u64();
  x.epoch = in.u64();
  x.sequence = in.u64();
  return x;
}

void write(detail::binary_writer& out, const input_position& x) {
  out.u16(static_cast<std::uint16_t>(x.topic.size()));
  out.bytes(x.topic);
  out.i64(x.next_offset);
  out.u8(x.last ? 1 : 0);
  if (!x.last)
    return;
  out.i64(x.last->offset);
  out.i64(x.last->timestamp);
  out.u64(x.last->checksum);
}

tl::unexpected<error> bad_commit(std::string_view why) {
  return fail(ec::bad_format, fmt::format("commit record: {}", why));
}

result<input_position> read_input(detail::binary_reader& in) {
  input_position x;
  x.topic = in.bytes(in.u16());
  x.next_offset = in.i64();
  auto flag = in.u8();
  if (flag == 1)
    x.last = fingerprint{in.i64(), in.i64(), in.u64()};
  if (!in.ok())
    return bad_commit("ends within an input");
  if (x.topic.empty() || x.topic.size() > max_topic || flag > 1)
    return bad_commit("malformed input");
  if (x.next_offset < 0)
    return bad_commit(
        fmt::format("input '{}' is listed without a position", x.topic));
  if (x.last && (x.last->offset < 0 || x.last->offset >= x.next_offset))
    return bad_commit(fmt::format(
        "input '{}': the last consumed record is not before its position",
        x.topic));
  return x;
}

result<std::vector<input_position>> read_inputs(detail::binary_reader& in) {
  auto count = in.u32();
  if (count > in.left() / least_input)
    return bad_commit("more inputs than it has room for");
  std::vector<input_position> out;
  std::set<std::string_view> topics;
  out.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    auto input = read_input(in);
    if (!input)
      return fail(input.error());
    out.push_back(std::move(*input));
    if (!topics.insert(out.back().topic).second)
      return bad_commit(
          fmt::format("input '{}' is listed twice", out.back().topic));
  }
  return out;
}

} // namespace

// -- lane and origin

std::string to_string(const lane_id& x) {
  return fmt::format("{:016x}{:016x}", x.high, x.low);
}

result<lane_id> parse_lane_id(std::string_view hex) {
  auto half = [](std::string_view digits, std::uint64_t& out) {
    // from_chars alone would also take a sign or capitals.
    if (digits.find_first_not_of("0123456789abcdef") != digits.npos)
      return false;
    std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
    return true;
  };
  lane_id x;
  if (hex.size() != 32 || !half(hex.substr(0, 16), x.high) ||
      !half(hex.substr(16), x.low))
    return fail(ec::bad_format,
                fmt::format("'{}' is no lane id: 32 lower-case hex digits are",
                            hex.substr(0, 64)));
  return x;
}

std::string to_string(const origin& x) {
  return fmt::format("epoch {}, sequence {} of lane {}", x.epoch, x.sequence,
                     to_string(x.lane));
}

std::string encode(const origin& x) {
  WEIR_ASSERT(x.epoch > 0 && x.sequence > 0, "epochs and sequences start at 1");
  detail::binary_writer out;
  out.u8(origin_format);
  write(out, x);
  return out.take();
}

result<origin> decode_origin(std::string_view bytes) {
  detail::binary_reader in{bytes};
  auto format = in.u8();
  if (in.ok() && format > origin_format)
    return fail(ec::bad_format,
                fmt::format("header '{}' has format {}, this version knows "
                            "{}: written by a newer weir",
                            origin_header, format, origin_format));
  auto x = read_origin(in);
  if (format == 0 || !in.complete() || x.epoch == 0 || x.sequence == 0)
    return fail(ec::bad_format,
                fmt::format("malformed header '{}'", origin_header));
  return x;
}

result<origin> origin_of(const record& x) {
  auto headers = x.headers();
  if (headers.size() != 1 || headers.front().name != origin_header)
    return fail(ec::corruption,
                fmt::format("record at offset {} was not written by weir: it "
                            "lacks the header '{}'; find out who writes to "
                            "the changelog",
                            x.offset(), origin_header));
  auto out = decode_origin(headers.front().value);
  if (!out)
    return fail(ec::corruption, fmt::format("record at offset {}: {}",
                                            x.offset(), out.error().text()));
  return out;
}

fingerprint fingerprint_of(const record& x) noexcept {
  record_checksum sum;
  sum.add(x.key().value_or(std::string_view{}), x.value());
  auto value = sum.value();
  return {x.offset(), x.timestamp(),
          x.key() ? value : hash_bytes({}, value ^ keyless)};
}

// -- commit record

std::string encode(const commit_record& x) {
  WEIR_ASSERT(!x.generation.empty() && x.generation.size() <= max_generation,
              "a generation id has 1 to 64 bytes");
  WEIR_ASSERT(x.by.epoch > 0 && x.by.sequence > 0,
              "epochs and sequences start at 1");
  detail::binary_writer out;
  out.u8(commit_format);
  out.u8(static_cast<std::uint8_t>(x.generation.size()));
  out.bytes(x.generation);
  write(out, x.by);
  out.u64(x.previous);
  out.u64(x.record_count);
  out.u64(x.records_checksum);
  out.u64(x.state_digest);
  out.i64(x.wall_clock_ms);
  out.u32(static_cast<std::uint32_t>(x.inputs.size()));
  for (auto& input : x.inputs) {
    WEIR_ASSERT(!input.topic.empty() && input.topic.size() <= max_topic &&
                    input.next_offset >= 0,
                "an input has a topic and a position");
    write(out, input);
  }
  out.u64(hash_bytes(out.view()));
  return out.take();
}

result<commit_record> decode_commit(std::string_view bytes) {
  detail::binary_reader in{bytes};
  auto format = in.u8();
  if (in.ok() && format > commit_format)
    return bad_commit(fmt::format("format {}, this version knows {}: written "
                                  "by a newer weir",
                                  format, commit_format));
  if (format == 0 || bytes.size() < 8)
    return bad_commit("malformed");
  detail::binary_reader sum{bytes.substr(bytes.size() - 8)};
  if (sum.u64() != hash_bytes(bytes.substr(0, bytes.size() - 8)))
    return bad_commit("its checksum does not match");
  commit_record x;
  x.generation = in.bytes(in.u8());
  x.by = read_origin(in);
  x.previous = in.u64();
  x.record_count = in.u64();
  x.records_checksum = in.u64();
  x.state_digest = in.u64();
  x.wall_clock_ms = in.i64();
  if (!in.ok() || x.generation.empty() ||
      x.generation.size() > max_generation || x.by.epoch == 0 ||
      x.by.sequence == 0)
    return bad_commit("malformed");
  auto inputs = read_inputs(in);
  if (!inputs)
    return fail(inputs.error());
  x.inputs = std::move(*inputs);
  in.u64(); // the checksum
  if (!in.complete())
    return bad_commit("has bytes that belong to nothing");
  return x;
}

// The record's own checksum: the chain then covers everything in it.
std::uint64_t checksum(const commit_record& x) {
  auto bytes = encode(x);
  return hash_bytes(std::string_view{bytes}.substr(0, bytes.size() - 8));
}

} // namespace weir
