#include "stores/changelog/commit_record.hpp"

#include <set>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/bytes/binary.hpp"
#include "runtime/bytes/checksum.hpp"
#include "runtime/stream/record_access.hpp"

namespace weir {

namespace {

constexpr std::uint8_t commit_format = 2;
constexpr std::size_t max_generation = 64;
/// Of `encode(origin)`.
constexpr std::size_t origin_size = 33;
constexpr std::size_t checksum_size = 8;
/// Kafka's limit of a topic name.
constexpr std::size_t max_topic = 249;
/// Bytes of an input with an empty topic: what bounds the number of inputs
/// before anything is allocated.
constexpr std::size_t least_input = 2 + 8 + 1;
/// Seed of a fingerprint of a record without a key.
constexpr std::uint64_t keyless = 1;

/// What follows the fixed part, in the order of the ids. A program that doesn't
/// know a field passes it over, or refuses the record if the field says so.
enum class field_id : std::uint16_t { inputs = 1, number = 2 };
constexpr auto last_known = static_cast<std::uint16_t>(field_id::number);

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

failure bad_commit(std::string_view why) {
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

void write(detail::binary_writer& out, field_id id, std::string_view bytes) {
  out.u16(static_cast<std::uint16_t>(id));
  out.u8(1);
  out.u32(static_cast<std::uint32_t>(bytes.size()));
  out.bytes(bytes);
}

std::string inputs_field(const std::vector<input_position>& inputs) {
  detail::binary_writer out;
  out.u32(static_cast<std::uint32_t>(inputs.size()));
  for (auto& input : inputs) {
    WEIR_ASSERT(!input.topic.empty() && input.topic.size() <= max_topic &&
                    input.next_offset >= 0,
                "an input has a topic and a position");
    write(out, input);
  }
  return out.take();
}

std::string number_field(std::uint64_t number) {
  detail::binary_writer out;
  out.u64(number);
  return out.take();
}

result<void> read_field(field_id id, std::string_view bytes,
                        commit_record& x) {
  detail::binary_reader in{bytes};
  if (id == field_id::inputs) {
    auto inputs = read_inputs(in);
    if (!inputs)
      return fail(inputs.error());
    x.inputs = std::move(*inputs);
  } else {
    x.number = in.u64();
  }
  if (!in.complete())
    return bad_commit("has bytes that belong to nothing");
  return {};
}

/// All of them. `in` ends before the checksum.
result<void> read_fields(detail::binary_reader& in, commit_record& x) {
  std::uint16_t before = 0;
  while (in.left() > 0) {
    auto whole = in.rest();
    auto id = in.u16();
    auto must_know = in.u8();
    auto bytes = in.bytes(in.u32());
    if (!in.ok() || id <= before || must_know > 1 ||
        (id <= last_known && (id != before + 1 || must_know != 1)))
      return bad_commit("malformed fields");
    before = id;
    if (id > last_known) {
      if (must_know == 1)
        return bad_commit(fmt::format("field {} is not known to this version: "
                                      "written by a newer weir",
                                      id));
      x.unknown_fields += whole.substr(0, whole.size() - in.left());
    } else if (auto done = read_field(field_id{id}, bytes, x); !done) {
      return done;
    }
  }
  if (before < last_known || x.number == 0)
    return bad_commit("malformed");
  return {};
}

result<void> check_format(std::string_view bytes) {
  detail::binary_reader in{bytes};
  auto format = in.u8();
  if (in.ok() && format > commit_format)
    return bad_commit(fmt::format("format {}, this version knows {}: written "
                                  "by a newer weir",
                                  format, commit_format));
  if (in.ok() && format > 0 && format < commit_format)
    return bad_commit(fmt::format(
        "format {}, of an earlier weir, which this version does not read: "
        "`reset` removes the job's state, and it starts anew",
        format));
  if (format == 0 || bytes.size() < checksum_size)
    return bad_commit("malformed");
  detail::binary_reader sum{bytes.substr(bytes.size() - checksum_size)};
  if (sum.u64() != hash_bytes(bytes.substr(0, bytes.size() - checksum_size)))
    return bad_commit("its checksum does not match");
  return {};
}

} // namespace

fingerprint fingerprint_of(const record& x) noexcept {
  record_checksum sum;
  sum.add(x.key().value_or(std::string_view{}), x.value());
  auto value = sum.value();
  return {x.offset(), detail::record_access::timestamp_ms(x),
          x.key() ? value : hash_bytes({}, value ^ keyless)};
}

std::string encode(const commit_record& x) {
  WEIR_ASSERT(!x.generation.empty() && x.generation.size() <= max_generation,
              "a generation id has 1 to 64 bytes");
  WEIR_ASSERT(x.number > 0, "commits are counted from 1");
  detail::binary_writer out;
  out.u8(commit_format);
  out.u8(static_cast<std::uint8_t>(x.generation.size()));
  out.bytes(x.generation);
  out.bytes(encode(x.by));
  out.u64(x.previous);
  out.u64(x.record_count);
  out.u64(x.records_checksum);
  out.u64(x.state_digest);
  out.i64(x.wall_clock_ms);
  write(out, field_id::inputs, inputs_field(x.inputs));
  write(out, field_id::number, number_field(x.number));
  out.bytes(x.unknown_fields);
  out.u64(hash_bytes(out.view()));
  return out.take();
}

result<commit_record> decode_commit(std::string_view bytes) {
  if (auto fine = check_format(bytes); !fine)
    return fail(fine.error());
  detail::binary_reader in{bytes.substr(0, bytes.size() - checksum_size)};
  in.u8(); // the format
  commit_record x;
  x.generation = in.bytes(in.u8());
  auto by = decode_origin(in.bytes(origin_size));
  x.previous = in.u64();
  x.record_count = in.u64();
  x.records_checksum = in.u64();
  x.state_digest = in.u64();
  x.wall_clock_ms = in.i64();
  if (!in.ok() || !by || x.generation.empty() ||
      x.generation.size() > max_generation)
    return bad_commit("malformed");
  x.by = *by;
  if (auto done = read_fields(in, x); !done)
    return fail(done.error());
  return x;
}

// The record's own checksum: the chain then covers everything in it.
std::uint64_t checksum(const commit_record& x) {
  auto bytes = encode(x);
  return hash_bytes(
      std::string_view{bytes}.substr(0, bytes.size() - checksum_size));
}

} // namespace weir
