#include "runtime/zookeeper/session.hpp"

#include <future>

#include "runtime/base/cancel.hpp"
#include "runtime/coordination/znode_checks.hpp"

namespace weir::zk {

namespace {

/// A callback for `client` that keeps `pick(reply)` of a success.
template <class T, class Pick>
answer answering(coordination::callback<T> done, Pick pick) {
  return [done = std::move(done), pick](result<reply> r) {
    if (!r)
      done(fail(std::move(r.error())));
    else if constexpr (std::is_void_v<T>)
      done({});
    else
      done(pick(std::move(*r)));
  };
}

answer answering(coordination::callback<void> done) {
  return answering<void>(std::move(done), 0);
}

} // namespace

session::session(endpoints where, session_options options)
    : where_(std::move(where)), options_(std::move(options)),
      client_(where_.hosts, options_.session_timeout,
              [this](session_event event) { on_event(event); }) {}

std::string session::describe() const {
  return "zookeeper " + where_.hosts + where_.chroot;
}

std::string session::path_on_server(const std::string& path) const {
  if (path == "/" && !where_.chroot.empty())
    return where_.chroot;
  return where_.chroot + path;
}

std::string session::to_user(const std::string& path) const {
  return path.substr(where_.chroot.size());
}

// -- opening and closing

result<void> session::open(std::chrono::steady_clock::time_point deadline) {
  if (auto ok = client_.open(); !ok)
    return ok;
  if (auto ok = make_chroot(deadline); !ok)
    return fail(ok.error().within(describe()));
  client_.start_pings(path_on_server("/"));
  opened_ = true;
  // What happened before, the user is told now, if it still holds.
  client_.post([this] {
    auto now = client_.state();
    if (now == client::phase::disconnected)
      on_event(session_event::disconnected);
    else if (now == client::phase::expired)
      on_event(session_event::expired);
  });
  return {};
}

failure session::no_connection() const {
  auto text = "no connection within " +
              std::to_string(options_.connect_limit.count()) +
              " ms; is the server running, and reachable from here?";
  // Of several hosts the client leaves out those without an address.
  if (!job_cancelled())
    if (auto known = check_resolvable(where_.hosts); !known)
      text += " " + known.error().text();
  return fail(ec::disconnected, text);
}

result<void> session::insist(const std::function<void(answer)>& ask,
                             std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    auto state = client_.wait_connected(deadline);
    if (state == client::phase::expired)
      return fail(ec::session_expired, "the session expired while it was made");
    if (state != client::phase::connected ||
        std::chrono::steady_clock::now() >= deadline)
      return no_connection();
    auto promise = std::make_shared<std::promise<result<reply>>>();
    auto answered = promise->get_future();
    ask([promise](result<reply> r) { promise->set_value(std::move(r)); });
    while (answered.wait_for(cancel_slice) != std::future_status::ready)
      if (job_cancelled() || std::chrono::steady_clock::now() >= deadline)
        return fail(ec::disconnected,
                    "connected, but no answer within " +
                        std::to_string(options_.connect_limit.count()) + " ms");
    auto r = answered.get();
    if (r)
      return {};
    if (r.error().code() != ec::disconnected &&
        r.error().code() != ec::unknown_outcome)
      return fail(r.error());
  }
}

result<void>
session::make_chroot(std::chrono::steady_clock::time_point deadline) {
  auto path = path_on_server("/");
  // Asked first, also for "/": the answer begins the lease, and where the path
  // exists no right to create it is needed.
  auto found = insist(
      [&](answer done) { client_.exists(path, nullptr, std::move(done)); },
      deadline);
  if (found || found.error().code() != ec::not_found)
    return found;
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    auto made = insist(
        [&](answer done) {
          client_.create(path.substr(0, end), {}, create_mode::persistent,
                         std::move(done));
        },
        deadline);
    if (!made && made.error().code() != ec::already_exists)
      return made;
  }
  return {};
}

void session::close() {
  client_.close(
      [this] { give_up_unresolved(ec::closed, "the session was closed"); });
}

void session::on_event(session_event event) {
  if (event == session_event::connected)
    for (auto& each : std::exchange(unresolved_, {}))
      look_for(std::move(each));
  if (event == session_event::expired)
    give_up_unresolved(ec::session_expired, "the ZooKeeper session is over");
  if (!opened_ || event == reported_)
    return;
  reported_ = event;
  if (options_.on_event)
    options_.on_event(event);
}

// -- calls

void session::get(const std::string& path, watcher watch,
                  callback<znode> done) {
  if (auto ok = check_znode_path(path); !ok) {
    client_.post([done, why = ok.error()] { done(fail(why)); });
    return;
  }
  auto node = path_on_server(path);
  auto to_node = [](reply r) { return znode{std::move(r.text), r.stat}; };
  if (!watch) {
    client_.get(node, answering<znode>(std::move(done), to_node));
    return;
  }
  // A get sets no watch on a missing node, an exists does. Both are sent at
  // once; what changes between them fires the watch. Without the first the
  // second counts for nothing: there would be no watch.
  auto watched = std::make_shared<result<void>>();
  client_.exists(node, std::move(watch), [watched](const result<reply>& r) {
    if (!r && r.error().code() != ec::not_found)
      *watched = fail(r.error());
  });
  client_.get(node,
              [watched, to_node, done = std::move(done)](result<reply> r) {
                if (!*watched)
                  done(fail(watched->error()));
                else if (!r)
                  done(fail(r.error()));
                else
                  done(to_node(std::move(*r)));
              });
}

void session::set(const std::string& path, std::string data,
                  std::int32_t version, callback<znode_stat> done) {
  auto node = path_on_server(path);
  if (auto ok = check_znode_request(path, data.size()); !ok)
    client_.post([done, why = ok.error()] { done(fail(why)); });
  else
    client_.set(node, data, version,
                answering<znode_stat>(std::move(done),
                                      [](const reply& r) { return r.stat; }));
}

void session::remove(const std::string& path, std::int32_t version,
                     callback<void> done) {
  if (auto ok = check_znode_removal(path); !ok)
    client_.post([done, why = ok.error()] { done(fail(why)); });
  else
    client_.remove(path_on_server(path), version, answering(std::move(done)));
}

void session::children(const std::string& path, watcher watch,
                       callback<std::vector<std::string>> done) {
  if (auto ok = check_znode_path(path); !ok)
    client_.post([done, why = ok.error()] { done(fail(why)); });
  else
    client_.children(
        path_on_server(path), std::move(watch),
        answering<std::vector<std::string>>(
            std::move(done), [](reply r) { return std::move(r.names); }));
}

void session::multi(std::vector<znode_op> ops, callback<void> done) {
  if (auto ok = check_znode_multi(ops); !ok) {
    client_.post([done, why = ok.error()] { done(fail(why)); });
    return;
  }
  if (ops.empty()) {
    client_.post([done] { done({}); });
    return;
  }
  for (auto& each : ops)
    each.path = path_on_server(each.path);
  client_.multi(ops, answering(std::move(done)));
}

void session::sync(const std::string& path, callback<void> done) {
  if (auto ok = check_znode_path(path); !ok)
    client_.post([done, why = ok.error()] { done(fail(why)); });
  else
    client_.sync(path_on_server(path), answering(std::move(done)));
}

std::int64_t session::session_id() const noexcept {
  return client_.session_id();
}

std::chrono::milliseconds session::session_timeout() const noexcept {
  return client_.session_timeout();
}

std::chrono::milliseconds session::since_last_contact() const noexcept {
  return client_.since_last_contact();
}

} // namespace weir::zk
