// The bytes of the embedded log: its keys and records. Pure functions; shared
// by the log, its check on open and the tests' editor. docs/formats.md has the
// same in prose; a change here is a change of the format version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/record.hpp"

namespace weir::log_format {

/// A partition of a topic, as keys name it. Ids are never used twice, so that
/// what is left of a deleted topic cannot appear in a new one.
struct partition_id {
  std::uint32_t topic = 0;
  std::int32_t partition = 0;
};

// -- keys

/// Holds the next free topic id.
std::string next_topic_key();
std::string topic_prefix();
std::string topic_key(std::string_view name);
/// Present while the records of a deleted topic are being removed.
std::string doomed_prefix();
std::string doomed_key(std::uint32_t topic);
/// Everything of one topic in one key family.
std::string partitions_prefix(std::uint32_t topic);
std::string records_prefix(std::uint32_t topic);
std::string index_prefix(std::uint32_t topic);
/// The bounds of one partition.
std::string bounds_key(partition_id id);
std::string record_key(partition_id id, std::int64_t offset);
std::string records_prefix(partition_id id);
/// Rewrites the offset at the end of a record's key, to save an allocation.
void set_offset(std::string& record_key, std::int64_t offset);
/// Compacted topics: where the last record with this key is.
std::string index_key(partition_id id, std::string_view key);
/// Compacted topics: where the last marker is.
std::string marker_index_key(partition_id id);
std::string index_prefix(partition_id id);
std::string epoch_prefix();
std::string epoch_key(std::string_view transactional_id);
std::string group_prefix();
std::string group_prefix(std::string_view group);
std::string group_key(std::string_view group, partition_id id);

/// The offset in a record's key; the partition in a group's.
std::int64_t offset_of(std::string_view record_key);
/// The topic id that ends a doomed key, or a group's key before the partition.
std::uint32_t doomed_topic(std::string_view key);
partition_id group_partition(std::string_view key);

// -- small values

/// [low, high): what the partition holds; high is the next offset.
struct bounds {
  std::int64_t low = 0;
  std::int64_t high = 0;
};
std::string encode(const bounds& x);
std::optional<bounds> decode_bounds(std::string_view bytes);

struct index_entry {
  std::int64_t offset = 0;
  bool tombstone = false;
  /// Wall clock of the append, ms: when a tombstone may go.
  std::int64_t appended = 0;
};
std::string encode(const index_entry& x);
std::optional<index_entry> decode_index_entry(std::string_view bytes);

struct producer_epoch {
  std::uint64_t epoch = 0;
  /// Wall clock of the initialisation, ms.
  std::int64_t initialised = 0;
};
std::string encode(const producer_epoch& x);
std::optional<producer_epoch> decode_producer_epoch(std::string_view bytes);

std::string encode_number(std::uint64_t x);
std::optional<std::uint64_t> decode_number(std::string_view bytes);

// -- records

enum class record_type : std::uint8_t { data = 1, marker = 2 };

/// What a record is made of, before it is stored.
struct content {
  std::int64_t timestamp = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  const header* headers = nullptr;
  std::size_t header_count = 0;
};

/// Bytes that `append_record` will add, about.
std::size_t size_of(const content& x) noexcept;
/// Appends a data record without its checksum: its offset is not known yet.
void append_record(std::string& out, const content& x);
/// A marker: which producer committed, in which epoch.
std::string encode_marker(std::int64_t timestamp, std::string_view producer_id,
                          std::uint64_t epoch);
/// Replaces the timestamp of an unsealed record.
void set_timestamp(char* record, std::int64_t timestamp) noexcept;
/// Computes the checksum, which covers the record's place (`key`) too: a record
/// that turns up elsewhere is as wrong as one with other bytes.
void seal(char* record, std::size_t size, std::string_view key) noexcept;

/// A record as stored; views into its bytes.
struct stored {
  record_type type = record_type::data;
  std::int64_t timestamp = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  /// The header section for `read_headers`; null if there are none.
  const char* headers = nullptr;
  /// Markers.
  std::string_view producer_id;
  std::uint64_t epoch = 0;
};

/// Nothing if checksum or structure are wrong.
std::optional<stored> decode_record(std::string_view key,
                                    std::string_view bytes);
/// The same without the checksum: a record that is not sealed yet.
std::optional<stored> parse_record(std::string_view bytes);
/// A `record_access::header_reader` over the section of a decoded record.
void read_headers(const void* section, std::vector<header>& out);

} // namespace weir::log_format
