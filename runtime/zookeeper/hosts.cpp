#include "runtime/zookeeper/hosts.hpp"

#include <charconv>
#include <string_view>

#include "runtime/coordination/znode_checks.hpp"

namespace weir::zk {

namespace {

bool is_host_and_port(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return false;
  auto port = text.substr(colon + 1);
  int number = 0;
  auto [end, error] =
      std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc{} && end == port.data() + port.size() &&
         number > 0 && number < 65'536;
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
  for (std::string_view rest = out.hosts;;) {
    auto comma = rest.find(',');
    auto each = rest.substr(0, comma);
    if (!is_host_and_port(each))
      return fail(ec::bad_argument, "zookeeper '" + text + "': '" +
                                        std::string{each} +
                                        "' is not HOST:PORT; write "
                                        "HOST:PORT[,HOST:PORT…][/chroot]");
    if (comma == std::string_view::npos)
      return out;
    rest.remove_prefix(comma + 1);
  }
}

} // namespace weir::zk
