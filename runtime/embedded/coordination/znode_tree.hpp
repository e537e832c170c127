// The znodes of the embedded coordination: ZooKeeper's data model, without
// sessions, watches, threads or disk.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/coordination/coordination.hpp"
#include "weir/error.hpp"

namespace weir {

/// A node as it is kept, and as it is written to the database when persistent.
struct znode_record {
  std::string data;
  znode_stat stat;
  /// Number of the next sequential child; only ever rises.
  std::int64_t next_sequence = 0;
};

/// Something that watches may wait for.
struct znode_change {
  enum class kind { created, data_changed, removed, children_changed };
  kind what = kind::created;
  std::string path;
};

/// What a transaction did to the tree, until it is kept or undone.
struct znode_transaction {
  /// Every write of a session is numbered; a node's czxid is the number of the
  /// transaction that created it.
  std::int64_t zxid = 0;
  std::int64_t session = 0;
  std::vector<znode_change> changes;
  /// Touched nodes as they were before the transaction, in order of touch.
  std::vector<std::pair<std::string, std::optional<znode_record>>> undo;
};

/// Not thread-safe. A transaction is a number of operations on the tree, all of
/// which are kept, or undone in one go: after the first error, or when they
/// cannot be made durable. Ephemeral nodes are marked as such; who ends them is
/// the session's business.
class znode_tree {
public:
  znode_tree() { nodes_["/"]; }

  /// A node as the database has it; its parent may come later.
  void load(std::string path, znode_record record) {
    nodes_[std::move(path)] = std::move(record);
  }
  const std::map<std::string, znode_record>& nodes() const noexcept {
    return nodes_;
  }

  const znode_record* find(const std::string& path) const;
  /// Names, sorted. @pre the node exists.
  std::vector<std::string> children(const std::string& path) const;
  /// Paths of the ephemeral nodes of a session.
  std::vector<std::string> ephemerals(std::int64_t session) const;

  // Errors: those of the interface. The tree has not changed after one.
  result<void> check(const std::string& path, std::int32_t version) const;
  /// Answers with the path. `mode` ephemeral_sequential appends ten digits.
  result<std::string> create(znode_transaction& in, const std::string& path,
                             std::string data, create_mode mode);
  result<znode_stat> set(znode_transaction& in, const std::string& path,
                         std::string data, std::int32_t version);
  result<void> remove(znode_transaction& in, const std::string& path,
                      std::int32_t version);
  /// One operation of a multi.
  result<void> apply(znode_transaction& in, const znode_op& op);

  void undo(znode_transaction& all);

private:
  result<znode_record*> expect(const std::string& path, std::int32_t version);
  void touch(znode_transaction& in, const std::string& path);

  std::map<std::string, znode_record> nodes_;
};

} // namespace weir
