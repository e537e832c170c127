// The coordination interface: a session with ZooKeeper's znode semantics.
//
// Two implementations pass the same conformance suite: `embedded` (one process,
// persistent nodes in the embedded database) and `zookeeper` (the C client,
// asynchronous calls only).
//
// Threads: every function is thread-safe and returns at once. Callbacks run on
// a thread of the implementation, one at a time and in order; they must not
// block and usually send a message. No callback runs after `close` returned or
// the session object is destroyed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/error.hpp"

namespace weir {

/// What is known of a znode beside its data.
struct znode_stat {
  /// Counts the writes of the data; the condition of `set` and `remove`.
  std::int32_t version = 0;
  /// Transaction that created it: tells a recreated node from the old one.
  std::int64_t czxid = 0;
  /// Session that owns an ephemeral node; 0 for a persistent one.
  std::int64_t ephemeral_owner = 0;
};

struct znode {
  std::string data;
  znode_stat stat;
};

enum class create_mode { persistent, ephemeral, ephemeral_sequential };

/// State of the session, as a person would ask for it.
enum class session_event {
  /// Connected (again) within the same session.
  connected,
  /// No connection: stop starting work; the session may expire (rule C7).
  disconnected,
  /// The session is over and so is this object: close it, open another one.
  expired,
};

/// One step of a `multi`: all of them happen, or none.
struct znode_op {
  enum class kind { check, create, set, remove };
  kind what = kind::check;
  std::string path;
  std::string data;
  /// Expected version; -1 = any.
  std::int32_t version = -1;
  create_mode mode = create_mode::persistent;
};

/// Any version, for `set` and `remove`.
inline constexpr std::int32_t any_version = -1;

/// Errors of every call: `disconnected` (certain not to have happened),
/// `unknown_outcome` (a write whose reply was lost), `session_expired`,
/// `rejected` (ACL), `closed`.
class coordination {
public:
  template <class T>
  using callback = std::function<void(result<T>)>;
  /// Level-triggered: something about the path changed or the watch was lost;
  /// read again. Fires at most once.
  using watcher = std::function<void()>;

  virtual ~coordination() = default;

  /// "zookeeper 127.0.0.1:2181/weir" or "embedded".
  virtual std::string describe() const = 0;
  /// The path as an operator's own client has to name it: with the chroot.
  virtual std::string path_on_server(const std::string& path) const {
    return path;
  }

  /// Answers with the path as created. With `ephemeral_sequential` the server
  /// appends ten digits. A lost reply of such a create is resolved by the
  /// implementation: the name carries a guid, and the parent is listed for it
  /// after the reconnect (the "Recoverable Errors and the GUID" recipe), so
  /// that one call makes at most one node.
  /// Errors: `already_exists`, `not_found` (the parent).
  virtual void create(const std::string& path, std::string data,
                      create_mode mode, callback<std::string> done) = 0;
  /// Creates every missing persistent parent and the node itself, with `data`
  /// for the last one; existing nodes are left alone.
  void ensure(const std::string& path, std::string data, callback<void> done);

  /// Errors: `not_found`; the watch is then set for the creation of the node.
  virtual void get(const std::string& path, watcher watch,
                   callback<znode> done) = 0;
  /// Errors: `not_found`, `version_mismatch`.
  virtual void set(const std::string& path, std::string data,
                   std::int32_t version, callback<znode_stat> done) = 0;
  /// Errors: `not_found`, `version_mismatch`, `not_empty`.
  virtual void remove(const std::string& path, std::int32_t version,
                      callback<void> done) = 0;
  /// Names (not paths) of the children, sorted. Errors: `not_found`.
  virtual void children(const std::string& path, watcher watch,
                        callback<std::vector<std::string>> done) = 0;
  /// Errors: that of the first failing op, nothing happened then.
  virtual void multi(std::vector<znode_op> ops, callback<void> done) = 0;
  /// Answers when this session sees every write that was answered before.
  virtual void sync(const std::string& path, callback<void> done) = 0;

  /// This session's id, compared with `ephemeral_owner`.
  virtual std::int64_t session_id() const noexcept = 0;
  /// As negotiated with the server.
  virtual std::chrono::milliseconds session_timeout() const noexcept = 0;
  /// Time since the *sending* of the last request that was answered (C7), on a
  /// clock that runs during suspend. A lease lasts 2/3 of the session timeout.
  virtual std::chrono::milliseconds since_last_contact() const noexcept = 0;

  /// [blocking] Ends the session: its ephemerals go at once where the server
  /// can be reached. Call on an executor, never in a callback.
  virtual void close() = 0;
};

/// Opens a session. [blocking] until the first connect or `limit`.
/// `on_event` is called for every later session event.
struct session_options {
  std::chrono::milliseconds session_timeout{10'000};
  std::chrono::milliseconds connect_limit{15'000};
  std::function<void(session_event)> on_event;
};

/// Where sessions come from: one per process, or per simulated cluster.
class coordination_service {
public:
  virtual ~coordination_service() = default;
  virtual std::string describe() const = 0;
  /// Errors: `disconnected` naming the hosts, `bad_argument`.
  virtual result<std::unique_ptr<coordination>>
  open_session(session_options options) = 0;
};

} // namespace weir
