#include "runtime/leveldb/lost_data.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <leveldb/dumpfile.h>
#include <leveldb/env.h>

namespace weir {

namespace {

std::uint64_t number_of(std::string_view digits) {
  std::uint64_t out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

std::string log_name(std::uint64_t number) {
  auto digits = std::to_string(number);
  return std::string(6 - std::min<std::size_t>(digits.size(), 6), '0') +
         digits + ".log";
}

/// Takes LevelDB's description of a MANIFEST, entry by entry, and keeps the
/// last number of a log in it.
class log_number_sink final : public leveldb::WritableFile {
public:
  leveldb::Status Append(const leveldb::Slice& data) override {
    std::string_view text{data.data(), data.size()};
    if (text.starts_with("corruption: "))
      readable_ = false;
    constexpr std::string_view label{"\n  LogNumber: "};
    if (auto at = text.find(label); at != std::string_view::npos)
      number_ = number_of(text.substr(at + label.size()));
    return {};
  }
  leveldb::Status Close() override { return {}; }
  leveldb::Status Flush() override { return {}; }
  leveldb::Status Sync() override { return {}; }

  /// None where not all of it could be read, or nothing was written yet.
  std::optional<std::uint64_t> number() const {
    return readable_ && number_ != 0 ? std::optional{number_} : std::nullopt;
  }

private:
  std::uint64_t number_ = 0;
  bool readable_ = true;
};

/// The numbers of a log's first change and of the one that follows its last.
struct extent {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (auto i = bytes.rbegin(); i != bytes.rend(); ++i)
    out = out << 8 | static_cast<unsigned char>(*i);
  return out;
}

/// Of the batches that are whole; none without any. Checksums are left to
/// LevelDB. In blocks of 32 KiB are fragments: checksum (4), length (2), type
/// (1: whole, 2: first, 3: middle, 4: last), bytes. A batch begins with the
/// number of its first change (8) and their count (4).
std::optional<extent> extent_of(std::string_view log) {
  constexpr std::size_t block = 32u << 10, header = 7, numbers = 12;
  std::optional<extent> out;
  std::string batch;
  for (std::size_t at = 0; at + header <= log.size();) {
    if (auto left = block - at % block; left < header) {
      at += left;
      continue;
    }
    auto length = little_endian(log.substr(at + 4, 2));
    auto type = log[at + 6];
    auto bytes = log.substr(at + header, length);
    if (bytes.size() < length || type < 1 || type > 4)
      break;
    at += header + length;
    if (type <= 2)
      batch.clear();
    batch.append(bytes.substr(0, numbers - std::min(numbers, batch.size())));
    if ((type != 1 && type != 4) || batch.size() < numbers)
      continue;
    auto first = little_endian(std::string_view{batch}.substr(0, 8));
    auto count = little_endian(std::string_view{batch}.substr(8, 4));
    out = extent{out ? out->first : first, first + count};
  }
  return out;
}

/// The name of a log that ends before the next one, from that number on.
std::string cut_log(leveldb::Env& env, const std::string& directory,
                    const std::map<std::uint64_t, std::string>& logs,
                    std::uint64_t from) {
  auto first = logs.lower_bound(from);
  // The usual case: a second one is there only until its memory is a table.
  if (first == logs.end() || std::next(first) == logs.end())
    return {};
  std::string previous;
  std::optional<extent> before;
  for (auto i = first; i != logs.end(); ++i) {
    std::string bytes;
    if (!leveldb::ReadFileToString(&env, directory + '/' + i->second, &bytes)
             .ok())
      return {};
    auto found = extent_of(bytes);
    if (found && i != first && (!before || before->end != found->first))
      return previous;
    previous = i->second;
    before = found;
  }
  return {};
}

} // namespace

bool is_damage(const leveldb::Status& status) {
  return status.IsCorruption() || status.IsNotFound() ||
         status.IsInvalidArgument() || status.IsNotSupportedError();
}

std::string lost_data(leveldb::Env& env, const std::string& directory) {
  std::vector<std::string> names;
  if (!env.GetChildren(directory, &names).ok())
    return {};
  std::map<std::uint64_t, std::string> logs;
  bool tables = false;
  for (auto& name : names) {
    if (name.ends_with(".log"))
      logs.emplace(number_of(name), name);
    tables = tables || name.ends_with(".ldb");
  }
  auto current = directory + "/CURRENT";
  if (!env.FileExists(current))
    return tables || !logs.empty() ? "its file CURRENT is missing" : "";
  std::string manifest;
  if (!leveldb::ReadFileToString(&env, current, &manifest).ok() ||
      !manifest.starts_with("MANIFEST-") || !manifest.ends_with('\n'))
    return {};
  manifest.pop_back();
  log_number_sink entries;
  if (!leveldb::DumpFile(&env, directory + '/' + manifest, &entries).ok())
    return {};
  auto oldest = entries.number();
  if (!oldest)
    return {};
  if (!logs.contains(*oldest))
    return "its file " + log_name(*oldest) + " or the end of its file " +
           manifest + " is missing";
  auto cut = cut_log(env, directory, logs, *oldest);
  return cut.empty() ? cut : "its file " + cut + " is cut";
}

} // namespace weir
