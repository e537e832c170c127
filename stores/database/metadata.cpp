#include "stores/database/metadata.hpp"

#include <fmt/format.h>

#include "runtime/bytes/binary.hpp"

namespace weir {

namespace {

constexpr std::uint8_t format = 1;

failure damaged(std::string_view what) {
  return fail(ec::damaged,
              fmt::format("the database's entry '{}' is damaged", what));
}

result<std::optional<std::string>> find(backend& from, std::string_view key) {
  std::string value;
  auto found = from.get(key, value);
  if (!found)
    return fail(found.error());
  return *found ? std::optional{std::move(value)} : std::nullopt;
}

std::optional<changelog_position> decode_position(std::string_view bytes) {
  detail::binary_reader in{bytes};
  auto version = in.u8();
  changelog_position x;
  x.offset = in.i64();
  x.by.lane.high = in.u64();
  x.by.lane.low = in.u64();
  x.by.epoch = in.u64();
  x.by.sequence = in.u64();
  x.checksum = in.u64();
  if (version != format || !in.complete() || x.offset <= 0)
    return std::nullopt;
  return x;
}

result<void> read_restoring(backend& from, database_metadata& metadata) {
  auto bytes = find(from, metadata_key::restoring);
  if (!bytes)
    return fail(bytes.error());
  if (!*bytes)
    return {};
  detail::binary_reader in{**bytes};
  auto version = in.u8();
  metadata.restoring_since = in.i64();
  if (version != format || !in.complete())
    return damaged("restoring");
  return {};
}

result<void> read_commit(backend& from, database_metadata& metadata) {
  auto commit = find(from, commit_key);
  if (!commit)
    return fail(commit.error());
  if (*commit) {
    auto decoded = decode_commit(**commit);
    if (!decoded)
      return fail(ec::damaged, decoded.error().text());
    metadata.commit = std::move(*decoded);
  }
  auto position = find(from, metadata_key::position);
  if (!position)
    return fail(position.error());
  if (*position) {
    metadata.position = decode_position(**position);
    if (!metadata.position || !metadata.commit ||
        before(metadata.commit->by, metadata.position->by))
      return damaged("position");
  }
  return {};
}

result<void> read_use(backend& from, database_metadata& metadata) {
  auto closed = find(from, metadata_key::closed);
  if (!closed)
    return fail(closed.error());
  metadata.closed_cleanly = closed->has_value();
  auto boot = find(from, metadata_key::boot);
  if (!boot)
    return fail(boot.error());
  metadata.boot_id = boot->value_or("");
  auto generation = find(from, metadata_key::generation);
  if (!generation)
    return fail(generation.error());
  metadata.generation = generation->value_or("");
  if (metadata.commit && metadata.generation != metadata.commit->generation)
    return damaged("generation");
  return {};
}

} // namespace

result<database_metadata> read_metadata(backend& from) {
  database_metadata metadata;
  for (auto part : {read_commit, read_restoring, read_use})
    if (auto done = part(from, metadata); !done)
      return fail(done.error());
  return metadata;
}

change_batch commit_metadata(const commit_record& commit,
                             std::optional<std::int64_t> position) {
  change_batch out;
  out.put(commit_key, encode(commit));
  out.put(metadata_key::generation, commit.generation);
  if (position)
    out.put(metadata_key::position,
            encode({*position, commit.by, checksum(commit)}));
  return out;
}

std::string encode_restoring(std::int64_t since_ms) {
  detail::binary_writer out;
  out.u8(format);
  out.i64(since_ms);
  return out.take();
}

std::string encode(const changelog_position& x) {
  detail::binary_writer out;
  out.u8(format);
  out.i64(x.offset);
  out.u64(x.by.lane.high);
  out.u64(x.by.lane.low);
  out.u64(x.by.epoch);
  out.u64(x.by.sequence);
  out.u64(x.checksum);
  return out.take();
}

} // namespace weir
