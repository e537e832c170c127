// The coordination interface within one process, without a server.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/base/executor.hpp"
#include "runtime/coordination/coordination.hpp"
#include "runtime/leveldb/database.hpp"

namespace weir {

/// ZooKeeper's semantics for the sessions of one process: versions, czxid
/// order, ephemerals, one-shot watches, session events, lost replies. It
/// answers what the interface leaves open as `make_zookeeper` does.
///
/// Shared by its sessions; thread-safe. Persistent nodes, their versions and
/// the counters of sequential children are as durable as the database: a write
/// is answered with success once it is synced, and one that fails answers the
/// database's error and changes nothing. Ephemeral nodes and sessions are gone
/// after a crash or restart.
///
/// The network between sessions and "server" is perfect until told otherwise by
/// the functions below, meant for tests and the simulation. An id that is not
/// that of a session is ignored.
class embedded_coordination : public coordination_service {
public:
  /// The connection breaks: the session hears `disconnected`; requests that the
  /// server has not seen yet fail as a client must see it (a write:
  /// `unknown_outcome`). It stays so until `reconnect`.
  virtual void disconnect(std::int64_t session) = 0;
  /// The session hears `connected`, then the watches that fired meanwhile; or,
  /// when it was expired meanwhile, `expired`.
  virtual void reconnect(std::int64_t session) = 0;
  /// The server ends the session: its ephemerals go at once. The session hears
  /// of it on `reconnect` if it is disconnected, else now. Also ends what a
  /// session that was closed without a connection has left behind.
  virtual void expire_session(std::int64_t session) = 0;
  /// Expires every session that has been disconnected for its timeout.
  virtual void expire_overdue() = 0;
  /// The next request is carried out, its reply is lost with the connection.
  virtual void lose_next_reply(std::int64_t session) = 0;
  /// The next request is lost with the connection: to the session it looks the
  /// same, but nothing happened.
  virtual void lose_next_request(std::int64_t session) = 0;
};

/// `database` null = in memory only. `callbacks` runs the requests too, since
/// they may wait for the disk; one job a step. `now` is the clock of
/// `since_last_contact`; empty = time since boot.
///
/// The database is read by the first `open_session`, which answers its errors.
std::shared_ptr<embedded_coordination>
make_embedded_coordination(std::shared_ptr<embedded_database> database,
                           std::shared_ptr<executor> callbacks,
                           std::function<std::chrono::milliseconds()> now = {});

} // namespace weir
