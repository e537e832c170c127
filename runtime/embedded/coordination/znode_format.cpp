#include "runtime/embedded/coordination/znode_format.hpp"

#include "runtime/leveldb/database.hpp"

namespace weir::znode_format {

namespace {

static_assert(epoch_key.front() == key_space::coordination &&
                  node_prefix.front() == key_space::coordination,
              "keys of another part of the database");

constexpr char format = 1;

void append(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

/// Takes the next number off `from`. @pre it is that long.
std::uint64_t take(std::string_view& from, int bytes) {
  std::uint64_t out = 0;
  for (int i = 0; i < bytes; ++i)
    out |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i]))
           << (8 * i);
  from.remove_prefix(static_cast<std::size_t>(bytes));
  return out;
}

result<void> check_head(std::string_view bytes, std::size_t least) {
  if (bytes.empty() || bytes.front() != format)
    return fail(ec::bad_format, "unknown format of the embedded coordination; "
                                "was it written by a newer version?");
  if (bytes.size() < least)
    return fail(ec::bad_format, "cut short");
  return {};
}

} // namespace

std::string node_key(std::string_view path) {
  return std::string{node_prefix} + std::string{path};
}

std::string encode_epoch(std::uint32_t epoch) {
  std::string out{format};
  append(out, epoch, 4);
  return out;
}

result<std::uint32_t> decode_epoch(std::string_view bytes) {
  if (auto ok = check_head(bytes, 5); !ok)
    return fail(ok.error());
  bytes.remove_prefix(1);
  return static_cast<std::uint32_t>(take(bytes, 4));
}

std::string encode_node(const znode_record& node) {
  std::string out{format};
  append(out, static_cast<std::uint32_t>(node.stat.version), 4);
  append(out, static_cast<std::uint64_t>(node.stat.czxid), 8);
  append(out, static_cast<std::uint64_t>(node.next_sequence), 8);
  return out + node.data;
}

result<znode_record> decode_node(std::string_view bytes) {
  if (auto ok = check_head(bytes, 21); !ok)
    return fail(ok.error());
  bytes.remove_prefix(1);
  znode_record out;
  out.stat.version = static_cast<std::int32_t>(take(bytes, 4));
  out.stat.czxid = static_cast<std::int64_t>(take(bytes, 8));
  out.next_sequence = static_cast<std::int64_t>(take(bytes, 8));
  out.data = bytes;
  return out;
}

} // namespace weir::znode_format
