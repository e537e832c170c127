// One store of a task: overlay and cache over the database.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/bytes/checksum.hpp"
#include "runtime/leveldb/backend.hpp"
#include "stores/kv/entry_layout.hpp"
#include "stores/kv/entry_table.hpp"
#include "stores/kv/store_context.hpp"
#include "stores/kv/undo_log.hpp"
#include "weir/detail/store_core.hpp"

namespace weir {

/// Told of every changed key, once a seal: no value = erased. Views end with
/// the call.
using seal_sink = std::function<void(std::string_view raw_key,
                                     std::optional<std::string_view> value)>;

/// What a seal collects over all stores of a task.
struct seal_work {
  const seal_sink& sink;
  /// Written by the apply.
  change_batch& changes;
  record_checksum& checksum;
  /// Sum of `entry_hash` over all live entries, mod 2^64.
  std::uint64_t& digest;
};

} // namespace weir

namespace weir::detail {

/// Values are kept decoded; each is encoded once a commit, at the seal. Owned
/// by its `task_state`, on the task's thread. Holds nothing that a crash may
/// not take: what counts is in the changelog and the database.
///
/// Every call may throw `store_error` (stores/kv/store_error.hpp).
class store_core {
public:
  store_core(store_context& context, int number, std::string name,
             const store_spec& spec);
  store_core(const store_core&) = delete;
  store_core& operator=(const store_core&) = delete;
  ~store_core();

  int number() const noexcept { return number_; }
  const std::string& name() const noexcept { return name_; }
  const store_spec& spec() const noexcept { return spec_; }
  /// Keys changed since the last seal.
  std::size_t changed() const noexcept { return dirty_.size(); }
  /// Entries in memory: overlay, cache, and keys known to be absent.
  std::size_t in_memory() const noexcept { return table_.size(); }

  // -- for the task: include/weir/detail/store_core.hpp says what they do

  const void* find(std::string_view key);
  void* change(std::string_view key);
  void put(std::string_view key, void* value);
  void erase(std::string_view key);
  bool committed(std::string_view key, void* value);
  void visit_changed(void* context, visitor visit) const;

  // -- scans (store_scan.cpp); bounds are raw keys

  /// The merged view of overlay and database.
  void scan(const std::string& from, const std::string& to, void* context,
            visitor visit);
  void scan_committed(void* context, visitor visit);
  std::string raw_key(std::string_view key) const;
  /// The first raw key of this store, and the first behind it.
  std::string first_raw_key() const { return std::string(1, char(number_)); }
  std::string end_raw_key() const { return std::string(1, char(number_ + 1)); }
  /// Whether the function of a scan is running.
  bool scanning() const noexcept {
    return scans_ != nullptr || running_scans_ > 0;
  }

  // -- for task_state

  /// Encodes each changed key once; its entry becomes frozen.
  /// Errors: those of the backend. Throws what a serde throws. After either
  /// only `drop` may be called.
  result<void> seal(seal_work& work);
  /// The frozen changes are in the database.
  void applied();
  /// Forgets everything in memory, so that only what is in the database is
  /// left; also after a failed seal.
  void drop();
  /// Gives room back that is not used now.
  void release_spare();
  /// Restores what the current record changed.
  void undo();
  /// The current record's changes stay.
  void accept();
  /// Encodes what the current record has changed so far. Throws what a serde
  /// throws.
  void visit_record(const seal_sink& visit) const;
  /// Removes an entry that is in no list, and deletes it.
  void forget(entry& x);

  [[noreturn]] void throw_undecodable(std::string_view part,
                                      std::string_view raw_key) const;

private:
  class scan_frame;

  // -- entries

  std::size_t charge_of(const entry& x) const noexcept;
  void set_charge(entry& x, std::size_t charge) noexcept;
  void note_size(std::size_t encoded) const noexcept {
    typical_size_ =
        typical_size_ == 0 ? encoded : (typical_size_ * 7 + encoded) / 8;
  }

  entry* lookup(std::string_view key, std::uint64_t hash);
  entry& obtain(std::string_view key);
  entry& load(std::string_view key, std::uint64_t hash);
  /// What the database has of it.
  void read_into(entry& x);
  /// Takes it over, and frees it if that fails.
  void insert(entry* x);
  entry& target(std::string_view key);
  void prepare_change(entry& x, old_value what);
  /// Before it changes: for the running scans, and to be undone.
  void remember(entry& x, old_value what);
  void tell_scans(const entry& x);

  /// Reads from the database into `value`.
  bool read(std::string_view raw_key, std::string& value) const;
  void decode(std::string_view raw_key, std::string_view bytes, void* to) const;
  /// Throws once no commit follows.
  void check_open() const;

  // -- from clean to dirty and back

  /// Makes `x` dirty; it joins the overlay if it was not part of it.
  void mark_dirty(entry& x);
  /// Takes back `mark_dirty` of the newest dirty entry.
  void unmark_dirty(entry& x);
  void leave_overlay(entry& x);
  result<void> seal_entry(entry& x, seal_work& work);
  /// Keeps `overlay_order_` from now on. The first scan pays for it, so that
  /// stores without scans never do.
  void keep_order();

  /// Visits the database's [from, to) until `visit` answers false.
  void scan_database(
      const std::string& from, const std::string& to,
      const std::function<bool(std::string_view, std::string_view)>& visit);

  store_context& context_;
  int number_;
  std::string name_;
  store_spec spec_;
  const value_ops& ops_;
  entry_layout layout_;

  entry_table table_;
  /// The last one looked up: a put mostly follows the find of its key.
  entry* last_ = nullptr;
  /// In the order in which they became dirty: undo takes from the end.
  std::vector<entry*> dirty_;
  std::vector<entry*> frozen_;
  /// The overlay by raw key, once `keep_order` was called.
  std::map<std::string_view, entry*> overlay_order_;
  bool ordered_ = false;
  undo_log undo_;
  scan_frame* scans_ = nullptr;
  int running_scans_ = 0;
  mutable std::size_t typical_size_ = 0;
  std::string value_scratch_;
};

} // namespace weir::detail
