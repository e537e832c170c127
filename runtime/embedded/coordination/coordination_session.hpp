// A session with the embedded coordination.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "runtime/coordination/coordination.hpp"
#include "runtime/embedded/coordination/coordination_server.hpp"

namespace weir {

/// Owned by who opened it; thread-safe. Each call becomes a request in the
/// server's queue, and its answer a delivery.
class embedded_session final : public coordination {
public:
  embedded_session(std::shared_ptr<coordination_server> server,
                   session_ref state);
  ~embedded_session() override { close(); }

  std::string describe() const override { return "embedded"; }
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
  std::int64_t session_id() const noexcept override { return state_->id; }
  std::chrono::milliseconds session_timeout() const noexcept override {
    return state_->timeout;
  }
  std::chrono::milliseconds since_last_contact() const noexcept override;
  void close() override;

private:
  struct guarded_create;

  template <class T>
  void deliver(callback<T> done, result<T> answer);
  /// `checked` refuses a request that the server need not see.
  template <class T>
  void submit(bool is_write, result<void> checked,
              coordination_server::operation<T> what, callback<T> done);
  void create_sequential(const std::string& path, std::string data,
                         callback<std::string> done);
  void attempt(std::shared_ptr<guarded_create> x);

  const std::shared_ptr<coordination_server> server_;
  const session_ref state_;
  std::atomic<std::uint64_t> guids_{0};
  std::atomic<bool> closed_{false};
};

} // namespace weir
