// Looks at and changes znodes from scripts:
//
//   weir-znode HOSTS get PATH | set PATH DATA | remove PATH
#include <iostream>
#include <string>

#include "actors/commands/offline.hpp"
#include "runtime/zookeeper/zookeeper.hpp"

namespace {

int answer(const weir::result<void>& x) {
  if (x)
    return 0;
  std::cerr << "weir-znode: " << to_string(x.error()) << '\n';
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  std::string command = argc > 2 ? argv[2] : "";
  if (argc != (command == "set" ? 5 : 4)) {
    std::cerr << "usage: weir-znode HOSTS get PATH | set PATH DATA | "
                 "remove PATH\n";
    return 2;
  }
  std::string path = argv[3];
  auto service = weir::make_zookeeper({argv[1]});
  auto session = weir::waiting_session::open(*service);
  if (!session)
    return answer(weir::fail(session.error()));
  if (command == "remove")
    return answer((*session)->remove(path));
  if (command == "set")
    return answer((*session)->set(path, argv[4], weir::any_version));
  auto node = (*session)->get(path);
  if (!node)
    return answer(weir::fail(node.error()));
  std::cout << node->data << '\n';
}
