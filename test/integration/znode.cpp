// Looks at and changes znodes from scripts:
//
//   weir-znode WHERE get PATH | create PATH DATA | set PATH DATA | remove PATH
//
// WHERE: ZooKeeper's hosts, or /DIR, the data directory of a stopped job on the
// embedded default.
#include <iostream>
#include <string>

#include "actors/commands/offline.hpp"
#include "runtime/zookeeper/zookeeper.hpp"

namespace {

constexpr const char* usage =
    "usage: weir-znode HOSTS|/DIR get PATH | create PATH DATA | set PATH DATA "
    "| remove PATH\n";

int answer(const weir::result<void>& x) {
  if (x)
    return 0;
  std::cerr << "weir-znode: " << to_string(x.error()) << '\n';
  return 1;
}

weir::result<void> obey(weir::coordination_service& service,
                        const std::string& command, char** words) {
  auto session = weir::waiting_session::open(service);
  if (!session)
    return weir::fail(session.error());
  if (command == "remove")
    return (*session)->remove(words[0]);
  if (command == "create")
    return (*session)->create(words[0], words[1]);
  if (command == "set")
    return (*session)->set(words[0], words[1], weir::any_version);
  auto node = (*session)->get(words[0]);
  if (!node)
    return weir::fail(node.error());
  std::cout << node->data << '\n';
  return {};
}

} // namespace

int main(int argc, char** argv) {
  std::string command = argc > 2 ? argv[2] : "";
  bool writes = command == "set" || command == "create";
  if (argc != (writes ? 5 : 4)) {
    std::cerr << usage;
    return 2;
  }
  std::string where = argv[1];
  if (!where.starts_with('/'))
    return answer(obey(*weir::make_zookeeper({where}), command, argv + 3));
  weir::settings how;
  how.data_directory = where;
  auto systems = weir::open_systems(how);
  if (!systems)
    return answer(weir::fail(systems.error()));
  auto done = obey(*systems->coordination, command, argv + 3);
  weir::close_systems(*systems);
  return answer(done);
}
