// The coordination interface in terms of one client.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/coordination/coordination.hpp"
#include "runtime/zookeeper/client.hpp"
#include "runtime/zookeeper/hosts.hpp"

namespace weir::zk {

/// Owned by who opened it; thread-safe. Adds to `client`: the chroot, the
/// checks of arguments, the watch on a missing node, and creates that survive a
/// lost reply.
class session final : public coordination {
public:
  session(endpoints where, session_options options);
  ~session() override { close(); }

  /// [blocking] Until connected with the chroot made, or `deadline`.
  /// Errors: `disconnected`, `bad_argument`, `session_expired` (try again with
  /// another session).
  result<void> open(std::chrono::steady_clock::time_point deadline);

  std::string describe() const override;
  std::string path_on_server(const std::string& path) const override;
  void create(const std::string& path, std::string data, create_mode mode,
              callback<std::string> done) override;
  void get(const std::string& path, watcher watch,
           callback<znode> done) override;
  void set(const std::string& path, std::string data, std::int32_t version,
           callback<znode_stat> done) override;
  void remove(const std::string& path, std::int32_t version,
              callback<void> done) override;
  void children(const std::string& path, watcher watch,
                callback<std::vector<std::string>> done) override;
  void multi(std::vector<znode_op> ops, callback<void> done) override;
  void sync(const std::string& path, callback<void> done) override;
  std::int64_t session_id() const noexcept override;
  std::chrono::milliseconds session_timeout() const noexcept override;
  std::chrono::milliseconds since_last_contact() const noexcept override;
  void close() override;

private:
  struct guarded_create;
  using guarded = std::shared_ptr<guarded_create>;

  std::string to_user(const std::string& path) const;
  void on_event(session_event event);
  /// Makes one request over and over until `deadline`, as long as it is lost.
  result<void> insist(const std::function<void(answer)>& ask,
                      std::chrono::steady_clock::time_point deadline);
  failure no_connection() const;
  result<void> make_chroot(std::chrono::steady_clock::time_point deadline);

  // Creates that carry a guid; callback thread only, but for the first.
  void attempt(guarded x);
  void look_for(guarded x);
  void give_up_unresolved(ec code, const char* why);

  const endpoints where_;
  const session_options options_;
  /// Events before `open` has returned success are its own affair.
  std::atomic<bool> opened_{false};
  /// Callback thread only: what the user knows.
  session_event reported_ = session_event::connected;
  /// Callback thread only: lost replies, waiting for a connection.
  std::vector<guarded> unresolved_;
  client client_;
};

} // namespace weir::zk
