// The coordination interface on a ZooKeeper ensemble.
#pragma once

#include <memory>
#include <string>

#include "runtime/coordination/coordination.hpp"

namespace weir {

struct zookeeper_options {
  /// "127.0.0.1:2181,127.0.0.1:2182/chroot": any number of servers, then
  /// optionally the path below which everything of weir lives. It is created
  /// if it is missing.
  std::string hosts;
};

/// Sessions on libzookeeper_mt, asynchronous calls only. Each session has the
/// client's two threads and one of its own, `weir-zk`, which runs every
/// callback of the session and keeps its lease fresh.
///
/// What the interface leaves open, it answers like this:
/// - Watches outlive a lost connection. When the session expires, each one that
///   has not fired yet fires once, after the `expired` event; `close` drops
///   them silently. A `children` watch is not set when the call fails, a `get`
///   watch is set on success and on `not_found`.
/// - Answers come in the order in which the server gave them. An error that
///   needs no server (no connection, session over) may overtake them.
/// - A sequential node is called `<last name of path><guid>-<ten digits>`;
///   compare the digits to learn who came first.
/// - While there is no connection every call answers `disconnected` at once. A
///   connection lost before the reply makes `disconnected` of a read and
///   `unknown_outcome` of a write.
/// - `close` answers what is pending with `closed`, which says nothing about
///   whether a write happened. Calls that the callbacks make meanwhile are
///   answered so too; any other call after `close` began is dropped, for no
///   callback may follow it.
std::unique_ptr<coordination_service> make_zookeeper(zookeeper_options options);

/// Of the client library that this was built with.
std::string zookeeper_client_version();

} // namespace weir
