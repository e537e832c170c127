#include "runtime/leveldb/database.hpp"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <shared_mutex>

#include <sys/stat.h>

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include "runtime/leveldb/lost_data.hpp"
#include "runtime/leveldb/owner_file.hpp"

namespace weir {

namespace {

constexpr std::string_view format_key{"dformat"};
constexpr std::string_view format_version{"1"};

/// `ToString` of what a get answers for a key that does not exist.
constexpr std::string_view key_not_found{"NotFound: "};

leveldb::Slice slice(std::string_view x) {
  return {x.data(), x.size()};
}

std::string_view view(const leveldb::Slice& x) {
  return {x.data(), x.size()};
}

error to_error(const leveldb::Status& status, std::string_view what) {
  if (is_damage(status))
    return embedded_damage(status.ToString()).within(what);
  return error{ec::io_error, status.ToString()}.within(what);
}

leveldb::ReadOptions read_options(bool fill_cache) {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = fill_cache;
  return options;
}

/// Creates `path` and its missing parents.
leveldb::Status create_directories(leveldb::Env& env, const std::string& path) {
  if (path.empty() || env.FileExists(path))
    return {};
  auto slash = path.find_last_of('/');
  if (slash != std::string::npos && slash != 0) {
    auto made = create_directories(env, path.substr(0, slash));
    if (!made.ok())
      return made;
  }
  auto made = env.CreateDir(path);
  // Somebody may have been faster.
  return env.FileExists(path) ? leveldb::Status{} : made;
}

/// Only the owner may look in. An Env of its own has no real directory.
result<void> make_private(const std::string& directory, bool real) {
  if (::chmod(directory.c_str(), 0700) == 0 || (!real && errno == ENOENT))
    return {};
  return fail(ec::io_error,
              "cannot make the data directory '" + directory +
                  "' private (mode 0700): " + std::strerror(errno) +
                  "; is it owned by this user?");
}

} // namespace

// -- embedded_batch

embedded_batch::embedded_batch()
    : rep_(std::make_unique<leveldb::WriteBatch>()) {}
embedded_batch::embedded_batch(embedded_batch&&) noexcept = default;
embedded_batch& embedded_batch::operator=(embedded_batch&&) noexcept = default;
embedded_batch::~embedded_batch() = default;

void embedded_batch::put(std::string_view key, std::string_view value) {
  rep_->Put(slice(key), slice(value));
  ++changes_;
}

void embedded_batch::erase(std::string_view key) {
  rep_->Delete(slice(key));
  ++changes_;
}

void embedded_batch::clear() {
  rep_->Clear();
  changes_ = 0;
}

// -- embedded_database

/// Everything with a lifetime, in order of construction.
struct embedded_database::parts {
  embedded_options options;
  std::unique_ptr<owner_file> owner;
  std::unique_ptr<const leveldb::FilterPolicy> filter;
  std::unique_ptr<leveldb::Cache> cache;
  std::unique_ptr<leveldb::DB> db;
  /// Why the database was closed; meaningful while `db` is null.
  std::string cause;
  /// Shared by gets and scans, exclusive for writes and the close.
  std::shared_mutex mutex;

  ~parts() { close(); }

  void background() {
    if (options.run_background)
      options.run_background();
  }

  void close() {
    if (!db)
      return;
    background();
    db.reset();
  }

  failure closed() const {
    return fail(ec::closed, "the database '" + options.directory +
                                "' was closed after a failed write; restart "
                                "the process once its cause is cured: " +
                                cause);
  }

  leveldb::Status open(leveldb::Env& env) {
    leveldb::Options o;
    o.create_if_missing = true;
    o.paranoid_checks = true;
    o.env = &env;
    o.write_buffer_size = options.write_buffer_bytes;
    o.block_size = 16u << 10;
    o.max_file_size = 16u << 20;
    filter.reset(leveldb::NewBloomFilterPolicy(10));
    o.filter_policy = filter.get();
    cache.reset(leveldb::NewLRUCache(options.block_cache_bytes));
    o.block_cache = cache.get();
    leveldb::DB* raw = nullptr;
    auto status = leveldb::DB::Open(o, options.directory + "/db", &raw);
    db.reset(raw);
    background();
    return status;
  }
};

embedded_database::embedded_database(std::unique_ptr<parts> x)
    : parts_(std::move(x)) {}

embedded_database::~embedded_database() = default;

const std::string& embedded_database::directory() const noexcept {
  return parts_->options.directory;
}

result<bool> embedded_database::get(std::string_view key, std::string& value) {
  std::shared_lock lock{parts_->mutex};
  if (!parts_->db)
    return parts_->closed();
  auto status = parts_->db->Get(read_options(true), slice(key), &value);
  parts_->background();
  if (status.ok())
    return true;
  // LevelDB says the same, with a text, of a *file* that cannot be found.
  if (status.IsNotFound() && status.ToString() == key_not_found)
    return false;
  return fail(to_error(status, "reading from '" + directory() + "'"));
}

result<void> embedded_database::write(const embedded_batch& changes) {
  if (changes.empty())
    return {};
  std::unique_lock lock{parts_->mutex};
  if (!parts_->db)
    return parts_->closed();
  leveldb::WriteOptions options;
  options.sync = true;
  auto status = parts_->db->Write(options, changes.rep_.get());
  parts_->background();
  if (status.ok())
    return {};
  parts_->cause = status.ToString();
  parts_->close();
  return fail(to_error(status, "writing to '" + directory() +
                                   "' (it is closed from now on)"));
}

result<void> embedded_database::scan(std::string_view from, std::string_view to,
                                     const visitor& visit) {
  std::shared_lock lock{parts_->mutex};
  if (!parts_->db)
    return parts_->closed();
  leveldb::Status status;
  {
    std::unique_ptr<leveldb::Iterator> it{
        parts_->db->NewIterator(read_options(false))};
    for (it->Seek(slice(from)); it->Valid(); it->Next()) {
      auto key = view(it->key());
      if ((!to.empty() && key >= to) || !visit(key, view(it->value())))
        break;
    }
    status = it->status();
  }
  parts_->background();
  if (status.ok())
    return {};
  return fail(to_error(status, "reading from '" + directory() + "'"));
}

result<void> embedded_database::scan_prefix(std::string_view prefix,
                                            const visitor& visit) {
  return scan(prefix, prefix_end(prefix), visit);
}

// -- opening

namespace {

/// A new database is stamped with the format; one of another is refused.
result<void> check_format(embedded_database& database) {
  std::string found;
  auto present = database.get(format_key, found);
  if (!present)
    return fail(present.error());
  if (*present && found == format_version)
    return {};
  if (*present)
    return fail(ec::bad_format,
                "the data directory '" + database.directory() +
                    "' has format " + found + ", this program knows format " +
                    std::string{format_version} +
                    "; use the version of the program that wrote it");
  embedded_batch stamp;
  stamp.put(format_key, format_version);
  return database.write(stamp);
}

} // namespace

result<std::shared_ptr<embedded_database>>
open_embedded(const embedded_options& options, outside_world& world) {
  if (options.directory.empty())
    return fail(ec::bad_argument, "the data directory has no name");
  auto parts = std::make_unique<embedded_database::parts>();
  parts->options = options;
  auto& directory = parts->options.directory;
  while (directory.size() > 1 && directory.back() == '/')
    directory.pop_back();
  auto* env = options.env != nullptr ? options.env : leveldb::Env::Default();
  auto made = create_directories(*env, directory);
  if (!made.ok())
    return fail(ec::io_error, "cannot create the data directory '" + directory +
                                  "': " + made.ToString());
  auto privately = make_private(directory, env == leveldb::Env::Default());
  if (!privately)
    return fail(privately.error());
  auto owner = owner_file::take(*env, directory, world);
  if (!owner)
    return fail(owner.error());
  parts->owner = std::move(*owner);
  if (auto lost = lost_data(*env, directory + "/db"); !lost.empty())
    return fail(embedded_damage("the database in '" + directory +
                                "/db' has data, but " + lost +
                                " (nothing was changed)"));
  auto status = parts->open(*env);
  if (!status.ok())
    return fail(
        to_error(status, "cannot open the database in '" + directory + "'"));
  auto database = std::make_shared<embedded_database>(std::move(parts));
  auto known = check_format(*database);
  if (!known)
    return fail(known.error());
  return database;
}

error embedded_damage(std::string what) {
  return {ec::corruption,
          what.append("; bring the embedded log's directory back from a "
                      "backup, or use another one")};
}

std::string prefix_end(std::string_view prefix) {
  std::string end{prefix};
  while (!end.empty() && end.back() == '\xff')
    end.pop_back();
  if (!end.empty())
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

std::string leveldb_version() {
  return std::to_string(leveldb::kMajorVersion) + '.' +
         std::to_string(leveldb::kMinorVersion);
}

} // namespace weir
