#include "runtime/leveldb/leveldb_backend.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include "runtime/base/assert.hpp"
#include "runtime/leveldb/lost_data.hpp"

namespace weir {

namespace {

leveldb::Slice slice(std::string_view x) {
  return {x.data(), x.size()};
}
std::string_view view(const leveldb::Slice& x) {
  return {x.data(), x.size()};
}

leveldb::ReadOptions checked() {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  return options;
}

/// LevelDB's own log of events: what matters of it, we log ourselves.
struct silent_logger final : leveldb::Logger {
  void Logv(const char*, std::va_list) override {}
};

/// A batch that is written, in a buffer of its thread. A fresh one would double
/// its way up to the size of a commit, and touch as many new pages, each time;
/// one a database would be much memory where there are many.
class spare_batch {
public:
  spare_batch() {
    if (!kept_)
      kept_.emplace();
  }
  ~spare_batch() {
    if (kept_->ApproximateSize() > most_kept)
      kept_.reset();
    else
      kept_->Clear();
  }
  spare_batch(const spare_batch&) = delete;
  spare_batch& operator=(const spare_batch&) = delete;

  leveldb::WriteBatch& get() noexcept { return *kept_; }

private:
  static constexpr std::size_t most_kept = 8u << 20;
  static thread_local std::optional<leveldb::WriteBatch> kept_;
};

thread_local std::optional<leveldb::WriteBatch> spare_batch::kept_;

error translate(const std::string& directory, const leveldb::Status& why) {
  return {is_damage(why) ? ec::damaged : ec::io_error,
          fmt::format("database '{}': {}", directory, why.ToString())};
}

} // namespace

/// Everything with a lifetime, in order of construction.
struct leveldb_backend::parts {
  std::string directory;
  leveldb_options options;
  std::unique_ptr<const leveldb::FilterPolicy> filter;
  silent_logger logger;
  std::unique_ptr<leveldb::DB> db;
  /// Why the database was closed; meaningful while `db` is null.
  std::string cause;
  bool scanning = false;

  ~parts() { close(); }

  leveldb::Status open();

  void background() { options.files->run_scheduled(); }

  /// LevelDB waits for what it scheduled: that must have run before.
  void close() {
    background();
    db.reset();
  }

  failure closed() const {
    return fail(ec::closed,
                fmt::format("database '{}' was closed after a failed write: {}",
                            directory, cause));
  }
};

leveldb::Status leveldb_backend::parts::open() {
  filter.reset(leveldb::NewBloomFilterPolicy(options.bloom_bits));
  leveldb::Options to;
  to.create_if_missing = true;
  to.paranoid_checks = true;
  to.env = &options.files->native();
  to.info_log = &logger;
  to.filter_policy = filter.get();
  to.block_cache = options.files->block_cache();
  to.write_buffer_size = options.write_buffer_bytes;
  to.max_file_size = options.table_bytes;
  leveldb::DB* opened = nullptr;
  auto status = leveldb::DB::Open(to, directory, &opened);
  db.reset(opened);
  background();
  return status;
}

leveldb_backend::leveldb_backend(std::unique_ptr<parts> x)
    : parts_(std::move(x)) {}

leveldb_backend::~leveldb_backend() = default;

result<std::unique_ptr<leveldb_backend>>
leveldb_backend::open(const std::string& directory, leveldb_options options) {
  WEIR_ASSERT(options.files, "a database lives in an environment");
  if (auto lost = lost_data(options.files->native(), directory); !lost.empty())
    return fail(ec::damaged,
                fmt::format("database '{}' has data, but {}", directory, lost));
  auto made = std::make_unique<parts>();
  made->directory = directory;
  made->options = std::move(options);
  if (auto status = made->open(); !status.ok())
    return fail(translate(directory, status));
  return std::unique_ptr<leveldb_backend>{new leveldb_backend{std::move(made)}};
}

result<bool> leveldb_backend::get(std::string_view key, std::string& value) {
  auto& x = *parts_;
  if (!x.db)
    return x.closed();
  auto status = x.db->Get(checked(), slice(key), &value);
  // A read can ask for a compaction.
  x.background();
  if (status.IsNotFound())
    return false;
  if (!status.ok())
    return fail(translate(x.directory, status));
  return true;
}

result<void> leveldb_backend::write(const change_batch& changes, bool sync) {
  auto& x = *parts_;
  WEIR_ASSERT(!x.scanning, "a scan's visitor does not write");
  if (!x.db)
    return x.closed();
  spare_batch spare;
  auto& batch = spare.get();
  changes.for_each(
      [&](std::string_view key, std::optional<std::string_view> value) {
        if (value)
          batch.Put(slice(key), slice(*value));
        else
          batch.Delete(slice(key));
      });
  leveldb::WriteOptions how;
  how.sync = sync;
  auto status = x.db->Write(how, &batch);
  x.background();
  if (status.ok())
    return {};
  x.cause = status.ToString();
  x.close();
  return fail(translate(x.directory, status));
}

result<void> leveldb_backend::scan(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view key, std::string_view value)>&
        visit) {
  auto& x = *parts_;
  if (!x.db)
    return x.closed();
  WEIR_ASSERT(!x.scanning, "one scan at a time");
  auto options = checked();
  // A scan of everything must not push out what single gets use.
  options.fill_cache = false;
  leveldb::Status status;
  {
    struct mark {
      bool& flag;
      explicit mark(bool& flag) : flag(flag) { flag = true; }
      ~mark() { flag = false; }
    } scanning{x.scanning};
    std::unique_ptr<leveldb::Iterator> i{x.db->NewIterator(options)};
    for (i->Seek(slice(from)); i->Valid(); i->Next()) {
      if (!to.empty() && view(i->key()) >= to)
        break;
      if (!visit(view(i->key()), view(i->value())))
        break;
    }
    status = i->status();
  }
  x.background();
  if (!status.ok())
    return fail(translate(x.directory, status));
  return {};
}

} // namespace weir
