#include "runtime/embedded/coordination/coordination_server.hpp"

#include <utility>

#include "runtime/embedded/coordination/znode_format.hpp"

namespace weir {

using phase = server_session::phase;

namespace {

failure no_connection() {
  return fail(ec::disconnected,
              "embedded coordination: there is no connection at the moment");
}

failure reply_lost(bool is_write) {
  if (!is_write)
    return no_connection();
  return fail(ec::unknown_outcome,
              "embedded coordination: the connection was lost before the "
              "answer came; resolve it with a write");
}

error was_closed() {
  return {ec::closed, "embedded coordination: the session was closed"};
}

error session_over() {
  return {ec::session_expired, "embedded coordination: the session is over"};
}

} // namespace

coordination_server::coordination_server(
    std::shared_ptr<embedded_database> database,
    std::shared_ptr<executor> callbacks,
    std::function<std::chrono::milliseconds()> now)
    : database_(std::move(database)),
      queue_(std::make_unique<session_queue>(std::move(callbacks))),
      now_(std::move(now)) {}

// -- transactions

result<void> coordination_server::load() {
  if (loaded_)
    return {};
  std::uint32_t epoch = 0;
  if (database_ != nullptr) {
    std::string bytes;
    auto found = database_->get(znode_format::epoch_key, bytes);
    if (!found)
      return fail(found.error());
    if (*found) {
      auto decoded = znode_format::decode_epoch(bytes);
      if (!decoded)
        return fail(decoded.error());
      epoch = *decoded;
    }
    result<void> all;
    auto prefix = znode_format::node_prefix;
    auto scanned = database_->scan_prefix(
        prefix, [&](std::string_view key, std::string_view value) {
          auto path = std::string{key.substr(prefix.size())};
          auto node = znode_format::decode_node(value);
          if (node)
            tree_.load(path, std::move(*node));
          else
            all = fail(node.error().within("znode '" + path + "'"));
          return all.has_value();
        });
    if (!scanned)
      return scanned;
    if (!all)
      return all;
    embedded_batch batch;
    batch.put(znode_format::epoch_key, znode_format::encode_epoch(epoch + 1));
    if (auto ok = database_->write(batch); !ok)
      return ok;
  }
  zxid_ = static_cast<std::int64_t>(epoch + 1) << 32;
  loaded_ = true;
  return {};
}

znode_transaction coordination_server::begin(const server_session& session) {
  znode_transaction out;
  out.zxid = zxid_ + 1;
  out.session = session.id;
  return out;
}

result<void> coordination_server::keep(znode_transaction& in) {
  if (database_ != nullptr) {
    embedded_batch batch;
    for (auto& [path, before] : in.undo) {
      auto* node = tree_.find(path);
      if (node != nullptr && node->stat.ephemeral_owner == 0)
        batch.put(znode_format::node_key(path),
                  znode_format::encode_node(*node));
      else if (before && before->stat.ephemeral_owner == 0)
        batch.erase(znode_format::node_key(path));
    }
    if (auto ok = database_->write(batch); !ok) {
      tree_.undo(in);
      return ok;
    }
  }
  if (!in.changes.empty())
    zxid_ = in.zxid;
  for (auto& each : in.changes)
    fire(each);
  return {};
}

// -- the network

result<void> coordination_server::admit(server_session& session, bool is_write,
                                        bool was_connected) {
  if (session.seen == phase::expired)
    return fail(session_over());
  if (session.seen == phase::disconnected)
    // Sent before the connection broke: the session cannot know how far it got.
    return was_connected ? reply_lost(is_write) : no_connection();
  if (std::exchange(session.lose_request, false)) {
    break_connection(session);
    return reply_lost(is_write);
  }
  return {};
}

result<void> coordination_server::reply(server_session& session,
                                        bool is_write) {
  if (!std::exchange(session.lose_reply, false))
    return {};
  break_connection(session);
  return reply_lost(is_write);
}

void coordination_server::break_connection(server_session& session) {
  session.alone_since = now_();
  session.seen = phase::disconnected;
  tell(session, session_event::disconnected);
}

void coordination_server::park(server_session& session,
                               server_session::unresolved_request x) {
  std::lock_guard guard{mutex_};
  if (session.closing)
    session.unresolved.push_back(std::move(x));
  else if (session.seen == phase::connected)
    ask_again(session, std::move(x));
  else if (session.seen == phase::expired)
    give_up(session, std::move(x));
  else
    session.unresolved.push_back(std::move(x));
}

void coordination_server::ask_again(server_session& session,
                                    server_session::unresolved_request x) {
  queue_->post_request(session.lane, std::move(x.look_again),
                       [stop = std::move(x.give_up)] { stop(was_closed()); });
}

void coordination_server::give_up(server_session& session,
                                  server_session::unresolved_request x) {
  auto answer = [stop = std::move(x.give_up)] { stop(session_over()); };
  queue_->post_delivery(session.lane, answer, answer);
}

void coordination_server::disconnect(std::int64_t id) {
  std::lock_guard guard{mutex_};
  if (auto found = find(id); found && found->seen == phase::connected)
    break_connection(*found);
}

void coordination_server::reconnect(std::int64_t id) {
  std::lock_guard guard{mutex_};
  auto found = find(id);
  if (!found || found->seen != phase::disconnected)
    return;
  if (found->expired_on_server) {
    tell_expired(*found);
    return;
  }
  found->seen = phase::connected;
  tell(*found, session_event::connected);
  fire_all(*found, std::exchange(found->missed, {}));
  if (!found->closing)
    for (auto& each : std::exchange(found->unresolved, {}))
      ask_again(*found, std::move(each));
}

void coordination_server::set_loss(std::int64_t id, bool server_sees_it) {
  std::lock_guard guard{mutex_};
  if (auto found = find(id))
    (server_sees_it ? found->lose_reply : found->lose_request) = true;
}

// -- the life of a session

result<session_ref> coordination_server::open(const session_options& options) {
  std::lock_guard guard{mutex_};
  if (auto ok = load(); !ok)
    return fail(ok.error().within("embedded coordination"));
  auto out = std::make_shared<server_session>();
  out->id = ++zxid_;
  out->timeout = options.session_timeout;
  out->on_event = options.on_event;
  sessions_[out->id] = out;
  return out;
}

void coordination_server::close(const session_ref& session) {
  {
    std::lock_guard guard{mutex_};
    session->closing = true;
  }
  queue_->close(session->lane);
  std::vector<server_session::unresolved_request> unresolved;
  {
    std::lock_guard guard{mutex_};
    auto before = session->seen.exchange(phase::closed);
    unresolved = std::exchange(session->unresolved, {});
    session->data_watches.clear();
    session->child_watches.clear();
    session->missed.clear();
    // Without a connection the server does not hear of the end.
    if (before == phase::connected)
      end_on_server(*session);
    if (session->expired_on_server)
      sessions_.erase(session->id);
  }
  for (auto& each : unresolved)
    each.give_up(was_closed());
}

void coordination_server::expire(std::int64_t id) {
  std::lock_guard guard{mutex_};
  auto found = find(id);
  if (!found || found->expired_on_server)
    return;
  end_on_server(*found);
  if (found->seen == phase::connected) {
    break_connection(*found);
    tell_expired(*found);
  } else if (found->seen == phase::closed) {
    sessions_.erase(id);
  }
}

void coordination_server::expire_overdue() {
  std::vector<std::int64_t> overdue;
  {
    std::lock_guard guard{mutex_};
    for (auto& [id, each] : sessions_)
      if (each->seen != phase::connected && !each->expired_on_server &&
          now_() - each->alone_since.load() >= each->timeout)
        overdue.push_back(id);
  }
  for (auto each : overdue)
    expire(each);
}

void coordination_server::end_on_server(server_session& session) {
  session.expired_on_server = true;
  auto in = begin(session);
  // Deepest first is not needed: ephemeral nodes have no children.
  for (auto& path : tree_.ephemerals(session.id))
    static_cast<void>(tree_.remove(in, path, any_version));
  zxid_ = in.zxid;
  // Only ephemeral nodes were touched, so there is nothing to make durable.
  for (auto& each : in.changes)
    fire(each);
}

void coordination_server::tell_expired(server_session& session) {
  session.seen = phase::expired;
  tell(session, session_event::expired);
  if (!session.closing)
    for (auto& each : std::exchange(session.unresolved, {}))
      give_up(session, std::move(each));
  for (auto* table : {&session.data_watches, &session.child_watches})
    for (auto& [path, watches] : std::exchange(*table, {}))
      fire_all(session, std::move(watches));
  fire_all(session, std::exchange(session.missed, {}));
}

session_ref coordination_server::find(std::int64_t id) {
  auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

void coordination_server::tell(server_session& session, session_event event) {
  if (session.on_event)
    queue_->post_delivery(
        session.lane,
        [&on_event = session.on_event, event] { on_event(event); }, nullptr);
}

// -- watches

void coordination_server::fire(const znode_change& change) {
  using kind = znode_change::kind;
  for (auto& [id, session] : sessions_) {
    if (session->expired_on_server)
      continue;
    auto take = [&](auto& table) {
      if (auto found = table.extract(change.path))
        fire_all(*session, std::move(found.mapped()));
    };
    if (change.what != kind::children_changed)
      take(session->data_watches);
    if (change.what == kind::children_changed || change.what == kind::removed)
      take(session->child_watches);
  }
}

void coordination_server::fire_all(server_session& session,
                                   std::vector<coordination::watcher> watches) {
  for (auto& each : watches)
    if (session.seen == phase::disconnected)
      session.missed.push_back(std::move(each));
    else
      queue_->post_delivery(session.lane, std::move(each), nullptr);
}

} // namespace weir
