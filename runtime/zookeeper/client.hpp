// One handle of the C client: its life, its requests, its watches, its lease.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <zookeeper/zookeeper.h>

#include "runtime/coordination/coordination.hpp"
#include "runtime/zookeeper/callback_thread.hpp"
#include "runtime/zookeeper/request.hpp"

namespace weir::zk {

/// A one-shot watch; the client's hash tables know it by its address.
struct watch {
  coordination::watcher fire;
};

/// Where the C client calls us.
struct trampoline;

/// Owned by one session. Thread-safe; answers, events and watches run on the
/// callback thread. Paths are the server's (the chroot is in them).
///
/// Every request is answered exactly once, by one of four:
/// - its completion;
/// - the expiry, because a request that slips into the client's queue just
///   after that was cleared would otherwise wait for the close;
/// - the close, because zookeeper_close forgets completions: it queues them
/// all,
///   but the thread that calls them ends when it finds the queue empty once;
/// - `start`, which refuses without a connection.
///
/// No call of the C client runs while the handle is closed, and none in it
/// afterwards: each is made under `mutex_`, which `close` takes to remove the
/// handle. (The client counts references, and the last one out destroys the
/// handle, whichever thread that is; a call in flight would run callbacks after
/// the close.) The lock is not held during zookeeper_close or a callback.
class client {
public:
  enum class phase { connecting, connected, disconnected, expired, closed };

  client(std::string hosts, std::chrono::milliseconds session_timeout,
         std::function<void(session_event)> on_event);
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() {
    close([] {});
  }

  /// Starts to connect. Errors: `bad_argument`, `disconnected`.
  result<void> open();
  /// [blocking] Until connected or expired, the deadline has passed, or the job
  /// is cancelled.
  phase wait_connected(std::chrono::steady_clock::time_point deadline);
  /// Begins to keep the lease fresh: asks for `path` six times a timeout.
  void start_pings(std::string path);
  /// [blocking] Ends the session; answers what is pending with `closed`, runs
  /// `last` on the callback thread, waits for it. Idempotent.
  void close(std::function<void()> last);

  // -- requests

  void create(const std::string& path, const std::string& data,
              create_mode mode, answer done);
  /// Sets `fire` on success and on `not_found`.
  void exists(const std::string& path, coordination::watcher fire, answer done);
  void get(const std::string& path, answer done);
  void set(const std::string& path, const std::string& data,
           std::int32_t version, answer done);
  void remove(const std::string& path, std::int32_t version, answer done);
  /// Sets `fire` on success.
  void children(const std::string& path, coordination::watcher fire,
                answer done);
  void multi(const std::vector<znode_op>& ops, answer done);
  void sync(const std::string& path, answer done);

  /// Answers without asking the server, in turn.
  void post(std::function<void()> job) { callbacks_.post(std::move(job)); }

  // -- facts

  phase state() const;
  std::int64_t session_id() const noexcept { return session_id_; }
  std::chrono::milliseconds session_timeout() const noexcept {
    return timeout_.load();
  }
  std::chrono::milliseconds since_last_contact() const noexcept;

  /// For the completions of request.hpp only.
  void completed(request* from, int code, reply out);

private:
  friend struct trampoline;

  using starter = std::function<int(zhandle_t*, request*)>;

  /// Registers a watch; null if there is nothing to fire.
  watch* add_watch(coordination::watcher fire);

  std::unique_ptr<request> make_request(std::string path, bool is_write,
                                        answer done);
  /// Hands the request to the client, or answers it with the reason why not.
  void start(std::unique_ptr<request> r, const starter& begin);
  error refusal(const request& r, int code) const;
  void session_changed(zhandle_t* handle, int state);
  void expire();
  /// Under the lock: answers what no completion answered. The requests stay.
  void give_up_outstanding(int code);
  void fired(watch* x);
  void ping(const std::string& path);

  const std::string hosts_;
  const std::function<void(session_event)> on_event_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  zhandle_t* handle_ = nullptr;
  phase phase_ = phase::connecting;
  /// By ticket, so that they can be given up in order.
  std::map<std::uint64_t, request*> outstanding_;
  std::uint64_t next_ticket_ = 0;
  std::unordered_map<watch*, std::unique_ptr<watch>> watches_;
  std::mutex closing_;

  std::atomic<std::int64_t> session_id_{0};
  std::atomic<std::chrono::milliseconds> timeout_;
  /// Sending time of the last answered request.
  std::atomic<std::chrono::milliseconds> contact_;
  /// Callback thread only.
  bool ping_pending_ = false;

  callback_thread callbacks_;
};

} // namespace weir::zk
