#include "test/servers/zookeeper_session.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include <zookeeper/zookeeper.h>

namespace weir::test {

namespace {

/// The server derives a session's password from its id with java.util.Random,
/// so that every server of an ensemble can check it.
clientid_t credentials(std::int64_t session) {
  constexpr std::uint64_t secret = 0xB3415C00;
  constexpr std::uint64_t mask = (std::uint64_t{1} << 48) - 1;
  auto state =
      ((static_cast<std::uint64_t>(session) ^ secret) ^ 0x5DEECE66D) & mask;
  clientid_t out{};
  out.client_id = session;
  for (std::size_t i = 0; i < sizeof out.passwd; i += 4) {
    state = (state * 0x5DEECE66D + 0xB) & mask;
    auto number = static_cast<std::uint32_t>(state >> 16);
    for (std::size_t byte = 0; byte < 4; ++byte)
      out.passwd[i + byte] = static_cast<char>(number >> (8 * byte) & 0xff);
  }
  return out;
}

struct thief {
  std::mutex mutex;
  std::condition_variable changed;
  int state = 0;

  static void on_event(zhandle_t*, int type, int state, const char*,
                       void* context) {
    if (type != ZOO_SESSION_EVENT)
      return;
    auto* self = static_cast<thief*>(context);
    std::lock_guard guard{self->mutex};
    self->state = state;
    self->changed.notify_all();
  }

  static void ignore_log(const char*) {}
};

} // namespace

void expire_session(const std::string& hosts, std::int64_t session,
                    std::chrono::milliseconds limit) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  auto id = credentials(session);
  while (std::chrono::steady_clock::now() < deadline) {
    thief self;
    auto* handle = zookeeper_init2(hosts.c_str(), &thief::on_event, 30'000, &id,
                                   &self, 0, &thief::ignore_log);
    if (handle == nullptr)
      throw std::runtime_error{"no ZooKeeper client for " + hosts};
    bool gone = false;
    {
      std::unique_lock guard{self.mutex};
      self.changed.wait_until(guard, deadline, [&] {
        return self.state == ZOO_CONNECTED_STATE ||
               self.state == ZOO_EXPIRED_SESSION_STATE;
      });
      gone = self.state == ZOO_EXPIRED_SESSION_STATE;
    }
    zookeeper_close(handle);
    if (gone)
      return;
  }
  throw std::runtime_error{"the session did not expire in time"};
}

} // namespace weir::test
