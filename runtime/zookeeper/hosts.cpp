#include "runtime/zookeeper/hosts.hpp"

#include "runtime/base/addresses.hpp"
#include "runtime/coordination/znode_checks.hpp"

namespace weir::zk {

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

} // namespace weir::zk
