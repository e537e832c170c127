#include "runtime/zookeeper/return_code.hpp"

#include <zookeeper/zookeeper.h>

namespace weir::zk {

bool came_from_server(int code) noexcept {
  switch (code) {
  case ZOK:
  case ZNONODE:
  case ZNOAUTH:
  case ZBADVERSION:
  case ZNOCHILDRENFOREPHEMERALS:
  case ZNODEEXISTS:
  case ZNOTEMPTY:
  case ZINVALIDACL:
    return true;
  default:
    // Codes of the client, of an expired session, and those that newer servers
    // may add: too little is known of them to prolong a lease.
    return false;
  }
}

error to_error(int code, bool is_write, const std::string& path) {
  auto at = [&path](ec what, const std::string& text) {
    return error{what, "znode '" + path + "': " + text};
  };
  switch (code) {
  case ZNONODE:
    return at(ec::not_found, "there is none, or its parent is missing");
  case ZNODEEXISTS:
    return at(ec::already_exists, "exists already");
  case ZBADVERSION:
    return at(ec::version_mismatch,
              "someone else wrote it since it was read; read it again");
  case ZNOTEMPTY:
    return at(ec::not_empty, "has children; remove them first");
  case ZNOCHILDRENFOREPHEMERALS:
    return at(ec::rejected, "its parent is ephemeral, which has no children");
  case ZNOAUTH:
  case ZINVALIDACL:
  case ZAUTHFAILED:
    return at(ec::rejected, "the server refuses it; check the ACL of the path");
  case ZBADARGUMENTS:
    return at(ec::bad_argument, "the client refuses the path or the data");
  case ZSESSIONEXPIRED:
  case ZINVALIDSTATE:
    return at(ec::session_expired, "the ZooKeeper session is over");
  case ZSESSIONMOVED:
    // The server that answered is not the session's any more: it did nothing.
    return at(ec::disconnected, "the session moved to another server");
  case ZCLOSING:
    return at(ec::closed, "the session was closed before an answer came");
  case ZUNIMPLEMENTED:
    return at(ec::rejected, "the server does not know this request");
  default:
    if (is_write)
      return at(ec::unknown_outcome,
                "the connection was lost before the answer came (" +
                    std::string{zerror(code)} + "); resolve it with a write");
    return at(ec::disconnected, "the connection was lost (" +
                                    std::string{zerror(code)} +
                                    "); try again after a pause");
  }
}

} // namespace weir::zk
