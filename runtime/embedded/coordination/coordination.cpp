#include "runtime/embedded/coordination/coordination.hpp"

#include <ctime>

#include "runtime/embedded/coordination/coordination_server.hpp"
#include "runtime/embedded/coordination/coordination_session.hpp"

namespace weir {

namespace {

std::chrono::milliseconds time_since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec});
}

class embedded_service final : public embedded_coordination {
public:
  explicit embedded_service(std::shared_ptr<coordination_server> server)
      : server_(std::move(server)) {}

  std::string describe() const override { return "embedded"; }

  result<std::unique_ptr<coordination>>
  open_session(session_options options) override {
    if (options.session_timeout <= std::chrono::milliseconds::zero())
      return fail(ec::bad_argument,
                  "embedded coordination: the session timeout is not "
                  "positive; give a few seconds");
    auto opened = server_->open(options);
    if (!opened)
      return fail(opened.error());
    return std::make_unique<embedded_session>(server_, std::move(*opened));
  }

  void disconnect(std::int64_t id) override { server_->disconnect(id); }
  void reconnect(std::int64_t id) override { server_->reconnect(id); }
  void expire_session(std::int64_t id) override { server_->expire(id); }
  void expire_overdue() override { server_->expire_overdue(); }
  void lose_next_reply(std::int64_t id) override {
    server_->set_loss(id, true);
  }
  void lose_next_request(std::int64_t id) override {
    server_->set_loss(id, false);
  }

private:
  const std::shared_ptr<coordination_server> server_;
};

} // namespace

std::shared_ptr<embedded_coordination>
make_embedded_coordination(std::shared_ptr<embedded_database> database,
                           std::shared_ptr<executor> callbacks,
                           std::function<std::chrono::milliseconds()> now) {
  return std::make_shared<embedded_service>(
      std::make_shared<coordination_server>(
          std::move(database), std::move(callbacks),
          now ? std::move(now) : time_since_boot));
}

} // namespace weir
