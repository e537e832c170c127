#include "stores/changelog/origin.hpp"

#include <charconv>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/bytes/binary.hpp"

namespace weir {

namespace {

constexpr std::uint8_t origin_format = 1;

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

} // namespace

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

} // namespace weir
