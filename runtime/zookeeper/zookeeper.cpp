#include "runtime/zookeeper/zookeeper.hpp"

#include <chrono>
#include <cstdint>

#include <zookeeper/zookeeper_version.h>

#include "runtime/zookeeper/hosts.hpp"
#include "runtime/zookeeper/session.hpp"

namespace weir {

namespace {

class zookeeper_service final : public coordination_service {
public:
  explicit zookeeper_service(zookeeper_options options)
      : options_(std::move(options)) {}

  std::string describe() const override {
    return "zookeeper " + options_.hosts;
  }

  result<std::unique_ptr<coordination>>
  open_session(session_options options) override {
    auto where = zk::parse_endpoints(options_.hosts);
    if (!where)
      return fail(where.error());
    using std::chrono::milliseconds;
    if (options.session_timeout <= milliseconds::zero() ||
        options.session_timeout > milliseconds{INT32_MAX})
      return fail(ec::bad_argument,
                  describe() + ": the session timeout is " +
                      std::to_string(options.session_timeout.count()) +
                      " ms; give a few seconds");
    auto deadline = std::chrono::steady_clock::now() + options.connect_limit;
    for (;;) {
      auto opened = std::make_unique<zk::session>(*where, options);
      auto ok = opened->open(deadline);
      if (ok)
        return opened;
      // Lost before anybody had it, as a stalled machine does: take another.
      if (ok.error().code() != ec::session_expired)
        return fail(ok.error());
    }
  }

private:
  const zookeeper_options options_;
};

} // namespace

std::unique_ptr<coordination_service>
make_zookeeper(zookeeper_options options) {
  return std::make_unique<zookeeper_service>(std::move(options));
}

std::string zookeeper_client_version() {
  return ZOO_VERSION;
}

} // namespace weir
