// What every implementation of the coordination interface checks before it
// takes a request: both refuse the same paths and sizes, so that a program that
// runs on the embedded one runs on ZooKeeper.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/coordination/coordination.hpp"
#include "weir/error.hpp"

namespace weir {

/// Bytes of paths and data in one request. A ZooKeeper server drops the
/// connection of a client that sends more than its `jute.maxbuffer` (1,048,575
/// unless configured), which looks like a lost reply; refuse it here instead.
inline constexpr std::size_t max_znode_request = 1'000'000;

/// Errors: `bad_argument`. "/" is a path; "/a/", "a", "/a//b", "/a/../b" and
/// paths with control characters are not.
inline result<void> check_znode_path(std::string_view path) {
  auto bad = [path](std::string_view why) {
    return fail(ec::bad_argument,
                "znode path '" + std::string{path} + "': " + std::string{why});
  };
  if (path.empty() || path.front() != '/')
    return bad("must start with '/'");
  if (path == "/")
    return {};
  for (auto rest = path.substr(1);;) {
    auto slash = rest.find('/');
    auto part = rest.substr(0, slash);
    if (part.empty())
      return bad("has an empty name in it");
    if (part == "." || part == "..")
      return bad("must not contain '.' or '..'");
    for (auto c : part)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
        return bad("contains a control character");
    if (slash == std::string_view::npos)
      return {};
    rest.remove_prefix(slash + 1);
  }
}

/// Errors: `bad_argument`, `too_large`.
inline result<void> check_znode_request(std::string_view path,
                                        std::size_t data_bytes) {
  if (auto ok = check_znode_path(path); !ok)
    return ok;
  if (path.size() + data_bytes > max_znode_request)
    return fail(ec::too_large,
                "znode '" + std::string{path} +
                    "': " + std::to_string(data_bytes) +
                    " bytes of data are more than a request may carry (" +
                    std::to_string(max_znode_request) + "); split it");
  return {};
}

/// Errors: `bad_argument`; the root stays.
inline result<void> check_znode_removal(std::string_view path) {
  if (path == "/")
    return fail(ec::bad_argument, "znode '/': the root cannot be removed");
  return check_znode_path(path);
}

/// Errors: `bad_argument`, `too_large`. A sequential create in a multi is
/// refused: its name would never be known, and a lost reply not be resolved.
inline result<void> check_znode_multi(const std::vector<znode_op>& ops) {
  std::size_t bytes = 0;
  for (auto& each : ops) {
    auto ok = each.what == znode_op::kind::remove
                  ? check_znode_removal(each.path)
                  : check_znode_path(each.path);
    if (!ok)
      return ok;
    if (each.what == znode_op::kind::create &&
        each.mode == create_mode::ephemeral_sequential)
      return fail(ec::bad_argument,
                  "znode '" + each.path +
                      "': a multi creates no sequential node; use create");
    bytes += each.path.size() + each.data.size();
  }
  return ops.empty() ? result<void>{}
                     : check_znode_request(ops.front().path, bytes);
}

/// "/a" for "/a/b", "/" for "/a". @pre `path` is valid and not "/".
inline std::string parent_znode(std::string_view path) {
  auto slash = path.rfind('/');
  return std::string{slash == 0 ? "/" : path.substr(0, slash)};
}

/// "b" for "/a/b".
inline std::string_view znode_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

} // namespace weir
