#include "runtime/zookeeper/client.hpp"

#include <cerrno>
#include <system_error>

#include "runtime/base/assert.hpp"
#include "runtime/base/cancel.hpp"
#include "runtime/zookeeper/boot_clock.hpp"
#include "runtime/zookeeper/client_log.hpp"
#include "runtime/zookeeper/hosts.hpp"
#include "runtime/zookeeper/return_code.hpp"
#include "runtime/zookeeper/trampoline.hpp"

namespace weir::zk {

client::client(std::string hosts, std::chrono::milliseconds session_timeout,
               std::function<void(session_event)> on_event)
    : hosts_(std::move(hosts)), on_event_(std::move(on_event)),
      timeout_(session_timeout), contact_(boot_time()) {
  quieten_client_log();
}

result<void> client::open() {
  std::lock_guard guard{mutex_};
  handle_ = zookeeper_init2(hosts_.c_str(), &trampoline::session,
                            static_cast<int>(timeout_.load().count()), nullptr,
                            this, ZOO_NO_LOG_CLIENTENV, &forward_client_log);
  if (handle_ != nullptr)
    return {};
  auto code = errno;
  // For a host without an address errno is whatever it was.
  if (auto known = check_resolvable(hosts_); !known)
    return known;
  auto text =
      "zookeeper '" + hosts_ + "': " + std::generic_category().message(code);
  return fail(code == EINVAL ? ec::bad_argument : ec::disconnected, text);
}

client::phase
client::wait_connected(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock guard{mutex_};
  auto settled = [this] {
    return phase_ == phase::connected || phase_ == phase::expired;
  };
  while (!settled() && !job_cancelled() &&
         std::chrono::steady_clock::now() < deadline)
    changed_.wait_for(guard, cancel_slice, settled);
  return phase_;
}

void client::start_pings(std::string path) {
  callbacks_.every(session_timeout() / 6,
                   [this, path = std::move(path)] { ping(path); });
}

void client::ping(const std::string& path) {
  // One at a time: behind a server that does not answer they would pile up.
  if (ping_pending_ || state() != phase::connected)
    return;
  ping_pending_ = true;
  exists(path, nullptr, [this](const auto&) { ping_pending_ = false; });
}

void client::close(std::function<void()> last) {
  WEIR_ASSERT(!callbacks_.is_current(),
              "a coordination session is not closed in its own callback");
  std::lock_guard once{closing_};
  zhandle_t* handle = nullptr;
  {
    std::lock_guard guard{mutex_};
    if (phase_ == phase::closed)
      return;
    phase_ = phase::closed;
    handle = std::exchange(handle_, nullptr);
  }
  if (handle != nullptr)
    zookeeper_close(handle);
  {
    std::lock_guard guard{mutex_};
    give_up_outstanding(ZCLOSING);
    for (auto& [ticket, each] : std::exchange(outstanding_, {}))
      delete each;
    watches_.clear();
  }
  callbacks_.post(std::move(last));
  callbacks_.stop();
}

client::phase client::state() const {
  std::lock_guard guard{mutex_};
  return phase_;
}

std::chrono::milliseconds client::since_last_contact() const noexcept {
  return boot_time() - contact_.load();
}

std::unique_ptr<request> client::make_request(std::string path, bool is_write,
                                              answer done) {
  auto r = std::make_unique<request>();
  r->owner = this;
  r->path = std::move(path);
  r->is_write = is_write;
  r->done = std::move(done);
  return r;
}

void client::start(std::unique_ptr<request> r, const starter& begin) {
  std::unique_lock guard{mutex_};
  int code = ZOK;
  if (phase_ == phase::connected) {
    r->sent_at = boot_time();
    r->ticket = ++next_ticket_;
    outstanding_[r->ticket] = r.get();
    code = begin(handle_, r.get());
    if (code == ZOK) {
      static_cast<void>(r.release());
      return;
    }
    outstanding_.erase(r->ticket);
  }
  watches_.erase(r->sets);
  if (phase_ == phase::closed && !callbacks_.is_current())
    // From another thread: if these were answered, somebody who never stops
    // asking could keep `close` from ending.
    return;
  auto why = refusal(*r, code);
  guard.unlock();
  callbacks_.post(
      [done = std::move(r->done), why = std::move(why)] { done(fail(why)); });
}

error client::refusal(const request& r, int code) const {
  auto at = [&r](ec what, const char* text) {
    return error{what, "znode '" + r.path + "': " + text};
  };
  if (code != ZOK)
    // It was not sent, so even a write has a certain outcome.
    return to_error(code, false, r.path);
  if (phase_ == phase::closed)
    return at(ec::closed, "the session was closed");
  if (phase_ == phase::expired)
    return at(ec::session_expired, "the ZooKeeper session is over");
  return at(ec::disconnected,
            "there is no connection to ZooKeeper at the moment");
}

void client::completed(request* from, int code, reply out) {
  std::unique_ptr<request> r{from};
  {
    std::lock_guard guard{mutex_};
    outstanding_.erase(r->ticket);
    if (came_from_server(code) && r->sent_at > contact_.load())
      contact_ = r->sent_at;
    if (code != ZOK && !(code == ZNONODE && r->sets_on_missing))
      watches_.erase(r->sets);
  }
  if (!r->done)
    return;
  auto answered = code == ZOK ? result<reply>{std::move(out)}
                              : fail(to_error(code, r->is_write, r->path));
  callbacks_.post(
      [done = std::move(r->done), answered = std::move(answered)]() mutable {
        done(std::move(answered));
      });
}

void client::session_changed(zhandle_t* handle, int state) {
  std::lock_guard guard{mutex_};
  if (phase_ == phase::closed || phase_ == phase::expired)
    return;
  auto before = phase_;
  if (state == ZOO_CONNECTED_STATE) {
    session_id_ = zoo_client_id(handle)->client_id;
    timeout_ = std::chrono::milliseconds{zoo_recv_timeout(handle)};
    phase_ = phase::connected;
    if (before == phase::disconnected)
      callbacks_.post([this] { on_event_(session_event::connected); });
  } else if (state == ZOO_EXPIRED_SESSION_STATE ||
             state == ZOO_AUTH_FAILED_STATE) {
    expire();
  } else if (before == phase::connected) {
    phase_ = phase::disconnected;
    callbacks_.post([this] { on_event_(session_event::disconnected); });
  }
  changed_.notify_all();
}

void client::expire() {
  phase_ = phase::expired;
  callbacks_.post([this] { on_event_(session_event::expired); });
  // Never sent: what was, lost its connection before the session expired.
  give_up_outstanding(ZSESSIONEXPIRED);
  for (auto& [key, each] : watches_)
    callbacks_.post(std::move(each->fire));
  watches_.clear();
}

void client::give_up_outstanding(int code) {
  for (auto& [ticket, each] : outstanding_)
    if (each->done)
      callbacks_.post(
          [done = std::exchange(each->done, nullptr),
           why = to_error(code, false, each->path)] { done(fail(why)); });
}

void client::fired(watch* x) {
  std::lock_guard guard{mutex_};
  auto found = watches_.find(x);
  if (found == watches_.end())
    return;
  callbacks_.post(std::move(found->second->fire));
  watches_.erase(found);
}

} // namespace weir::zk
