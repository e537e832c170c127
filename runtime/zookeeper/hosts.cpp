#include "runtime/zookeeper/hosts.hpp"

#include <cerrno>
#include <cstring>
#include <sstream>

#include <netdb.h>

#include "runtime/base/addresses.hpp"
#include "runtime/coordination/znode_checks.hpp"

namespace weir::zk {

namespace {

/// Of "host:port", "[::1]:port".
std::string host_of(const std::string& address) {
  auto host = address.substr(0, address.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return host.substr(1, host.size() - 2);
  return host;
}

} // namespace

result<endpoints> parse_endpoints(const std::string& text) {
  auto slash = text.find('/');
  endpoints out;
  out.hosts = text.substr(0, slash);
  if (slash != std::string::npos && slash + 1 < text.size())
    out.chroot = text.substr(slash);
  if (!out.chroot.empty())
    if (auto ok = check_znode_path(out.chroot); !ok)
      return fail(ok.error().within("zookeeper '" + text + "'"));
  if (auto ok = check_addresses(out.hosts, true); !ok)
    return fail(ok.error().within("zookeeper '" + text + "'"));
  return out;
}

result<void> check_resolvable(const std::string& hosts) {
  std::istringstream all{hosts};
  for (std::string each; std::getline(all, each, ',');) {
    auto host = host_of(each);
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    auto code = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
    auto why = code == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(code);
    if (code != 0)
      return fail(ec::disconnected,
                  "ZooKeeper: cannot resolve '" + host + "' (" + why +
                      "): correct the host in --zookeeper, or see that this "
                      "machine can look it up");
    ::freeaddrinfo(found);
  }
  return {};
}

} // namespace weir::zk
