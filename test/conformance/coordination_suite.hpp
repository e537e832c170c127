// What the coordination suite needs of an implementation beside the interface.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "runtime/coordination/coordination.hpp"

namespace weir::test {

/// A coordination service with nothing in it but its root, and the means to
/// break the network of one of its sessions. Sessions are opened through it.
class coordination_fixture {
public:
  virtual ~coordination_fixture() = default;

  /// The timeout is one that a loaded machine does not run into.
  virtual std::unique_ptr<coordination>
  open(std::function<void(session_event)> on_event = nullptr,
       std::chrono::milliseconds timeout = std::chrono::seconds{30}) = 0;

  /// The session loses its connection until `reconnect`.
  virtual void disconnect(coordination& session) = 0;
  virtual void reconnect(coordination& session) = 0;
  /// Returns when the session is over on the server. @pre it is disconnected.
  virtual void expire(coordination& session) = 0;
  /// The next write is carried out; its reply is lost with the connection.
  virtual void lose_next_reply(coordination& session) = 0;
  /// The next write is lost with the connection.
  virtual void lose_next_request(coordination& session) = 0;
  /// The server stops to answer; the connections stay, if that is possible.
  virtual void freeze(coordination& session) = 0;
  virtual void thaw(coordination& session) = 0;
};

/// Each executable defines it for its implementation.
std::unique_ptr<coordination_fixture> make_coordination_fixture();

} // namespace weir::test
