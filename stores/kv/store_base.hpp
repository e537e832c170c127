// The part of a store that does not depend on its types.
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
#include "stores/kv/entry_table.hpp"
#include "stores/kv/store_context.hpp"

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

/// Overlay and cache of one store. Owned by its `task_state`, on the task's
/// thread. Holds nothing that a crash may not take: what counts is in the
/// changelog and the database.
class store_base {
public:
  store_base(store_context& context, int number, std::string name);
  store_base(const store_base&) = delete;
  store_base& operator=(const store_base&) = delete;
  virtual ~store_base() = default;

  int number() const noexcept { return number_; }
  const std::string& name() const noexcept { return name_; }
  /// Keys changed since the last seal.
  std::size_t changed() const noexcept { return dirty_.size(); }
  /// Entries in memory: overlay, cache, and keys known to be absent.
  std::size_t in_memory() const noexcept { return table_.size(); }

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
  void release_spare() {
    table_.shrink();
    dirty_.shrink_to_fit();
    frozen_.shrink_to_fit();
  }
  /// Restores what the current record changed.
  virtual void undo() = 0;
  /// The current record's changes stay.
  virtual void accept() = 0;
  /// Encodes what the current record has changed so far. Throws what a serde
  /// throws.
  virtual void visit_record(const seal_sink& visit) const = 0;
  /// Removes an entry that is in no list, and deletes it.
  virtual void forget(entry_base& x) = 0;

  /// Whether a callback of range, prefix or for_each is running.
  bool scanning() const noexcept {
    return scans_ != nullptr || running_scans_ > 0;
  }

protected:
  /// Called before an entry changes, once per running scan.
  class scan_frame {
  public:
    explicit scan_frame(store_base& store) noexcept
        : store_(store), outer_(store.scans_) {
      store.scans_ = this;
    }
    scan_frame(const scan_frame&) = delete;
    scan_frame& operator=(const scan_frame&) = delete;
    virtual ~scan_frame() { store_.scans_ = outer_; }
    virtual void before_change(const entry_base& x) = 0;
    scan_frame* outer() const noexcept { return outer_; }

  private:
    store_base& store_;
    scan_frame* outer_;
  };

  /// Appends the encoded key, without the store's number.
  virtual void encode_key(const entry_base& x, std::string& out) const = 0;
  /// Appends the encoded value; false = the key is erased.
  virtual bool encode_value(const entry_base& x, std::string& out) const = 0;

  /// Replaces `out` by the raw key of `x`.
  void raw_key_of(const entry_base& x, std::string& out) const;
  /// The first raw key of this store, and the first behind it.
  std::string first_raw_key() const { return std::string(1, char(number_)); }
  std::string end_raw_key() const { return std::string(1, char(number_ + 1)); }

  /// Reads from the database into `value`. Throws `store_error`.
  bool read(std::string_view raw_key, std::string& value) const;
  [[noreturn]] void throw_closed() const;
  [[noreturn]] void throw_undecodable(std::string_view part,
                                      std::string_view raw_key) const;

  /// Makes `x` dirty; it joins the overlay if it was not part of it.
  void mark_dirty(entry_base& x);
  /// Takes back `mark_dirty` of the newest dirty entry.
  void unmark_dirty(entry_base& x);
  void set_charge(entry_base& x, std::size_t charge) noexcept;
  /// Keeps `overlay_order_` from now on. The first range over a store pays for
  /// it, so that stores without ranges never do.
  void keep_order();

  /// Visits the database's [from, to) until `visit` answers false. Throws
  /// `store_error` if the database fails.
  void scan_database(
      const std::string& from, const std::string& to,
      const std::function<bool(std::string_view, std::string_view)>& visit);

  store_context& context_;
  entry_table table_;
  /// In the order in which they became dirty: undo takes from the end.
  std::vector<entry_base*> dirty_;
  std::vector<entry_base*> frozen_;
  /// The overlay by raw key, once `keep_order` was called.
  std::map<std::string, entry_base*, std::less<>> overlay_order_;
  bool ordered_ = false;
  scan_frame* scans_ = nullptr;
  mutable std::string key_scratch_;
  mutable std::string value_scratch_;

private:
  result<void> seal_entry(entry_base& x, seal_work& work);
  void leave_overlay(entry_base& x);

  int number_;
  int running_scans_ = 0;
  std::string name_;
};

} // namespace weir
