// How the embedded coordination keeps persistent znodes in the database.
//
//   key "ze"           format (1 byte: 1), epoch (u32)
//   key "zn" + path    format (1 byte: 1), version (u32), czxid (u64),
//                      next sequence (u64), data (the rest)
//
// Numbers are little-endian. The epoch counts the openings of the database, as
// ZooKeeper's counts its leaders: transaction number = epoch << 32 | counter,
// so that they rise over restarts without a write for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/embedded/coordination/znode_tree.hpp"
#include "weir/error.hpp"

namespace weir::znode_format {

inline constexpr std::string_view epoch_key{"ze"};
inline constexpr std::string_view node_prefix{"zn"};

std::string node_key(std::string_view path);

std::string encode_epoch(std::uint32_t epoch);
/// Errors: `bad_format`.
result<std::uint32_t> decode_epoch(std::string_view bytes);

std::string encode_node(const znode_record& node);
/// Errors: `bad_format`.
result<znode_record> decode_node(std::string_view bytes);

} // namespace weir::znode_format
