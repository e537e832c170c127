// The "server" of the embedded coordination: sessions, watches, durability.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/embedded/coordination/coordination.hpp"
#include "runtime/embedded/coordination/session_queue.hpp"
#include "runtime/embedded/coordination/znode_tree.hpp"

namespace weir {

/// What the server knows of a session. All but the atomics under the server's
/// lock.
struct server_session {
  enum class phase { connected, disconnected, expired, closed };

  std::int64_t id = 0;
  std::chrono::milliseconds timeout{0};
  std::function<void(session_event)> on_event;
  session_queue::lane lane = std::make_shared<session_queue::channel>();

  /// As the session itself sees it.
  std::atomic<phase> seen{phase::connected};
  /// When the connection was lost; meaningful while there is none.
  std::atomic<std::chrono::milliseconds> alone_since{};

  /// What is unresolved is the close's affair.
  bool closing = false;
  bool expired_on_server = false;
  bool lose_reply = false;
  bool lose_request = false;
  std::map<std::string, std::vector<coordination::watcher>> data_watches;
  std::map<std::string, std::vector<coordination::watcher>> child_watches;
  /// Fired while there was no connection.
  std::vector<coordination::watcher> missed;
  /// Requests whose outcome the session finds out after it reconnects.
  struct unresolved_request {
    std::function<void()> look_again;
    std::function<void(error)> give_up;
  };
  std::vector<unresolved_request> unresolved;
};

using session_ref = std::shared_ptr<server_session>;

/// Shared by the service and its sessions. Thread-safe: one lock over all, held
/// while a write is synced; callbacks are only queued under it.
class coordination_server {
public:
  coordination_server(std::shared_ptr<embedded_database> database,
                      std::shared_ptr<executor> callbacks,
                      std::function<std::chrono::milliseconds()> now);

  /// [blocking] Errors: those of the database.
  result<session_ref> open(const session_options& options);
  /// [blocking] See coordination::close.
  void close(const session_ref& session);

  /// Looks up or changes the tree; under the lock, in a transaction that is
  /// kept only if it succeeds and could be made durable.
  template <class T>
  using operation = std::function<result<T>(znode_tree&, znode_transaction&,
                                            server_session&)>;

  /// Runs one request of a session as its connection allows. Queue only.
  template <class T>
  result<T> carry_out(server_session& session, bool is_write,
                      bool was_connected, const operation<T>& what) {
    std::lock_guard guard{mutex_};
    if (auto ok = admit(session, is_write, was_connected); !ok)
      return fail(ok.error());
    znode_transaction in = begin(session);
    auto out = what(tree_, in, session);
    if (!out)
      tree_.undo(in);
    else if (auto kept = keep(in); !kept)
      out = fail(kept.error());
    if (auto ok = reply(session, is_write); !ok)
      return fail(ok.error());
    return out;
  }

  /// A request's outcome is unknown: asks again after the next connect.
  void park(server_session& session, server_session::unresolved_request x);

  session_queue& queue() noexcept { return *queue_; }
  std::chrono::milliseconds now() const { return now_(); }

  // See embedded_coordination.
  void disconnect(std::int64_t id);
  void reconnect(std::int64_t id);
  void expire(std::int64_t id);
  void expire_overdue();
  void set_loss(std::int64_t id, bool server_sees_it);

private:
  // Under the lock.
  result<void> load();
  znode_transaction begin(const server_session& session);
  result<void> keep(znode_transaction& in);
  result<void> admit(server_session& session, bool is_write,
                     bool was_connected);
  result<void> reply(server_session& session, bool is_write);
  session_ref find(std::int64_t id);
  void tell(server_session& session, session_event event);
  void break_connection(server_session& session);
  void end_on_server(server_session& session);
  void tell_expired(server_session& session);
  void ask_again(server_session& session, server_session::unresolved_request x);
  void give_up(server_session& session, server_session::unresolved_request x);
  void fire(const znode_change& change);
  void fire_all(server_session& session,
                std::vector<coordination::watcher> watches);

  const std::shared_ptr<embedded_database> database_;
  const std::unique_ptr<session_queue> queue_;
  const std::function<std::chrono::milliseconds()> now_;

  std::mutex mutex_;
  bool loaded_ = false;
  znode_tree tree_;
  std::int64_t zxid_ = 0;
  std::map<std::int64_t, session_ref> sessions_;
};

} // namespace weir
