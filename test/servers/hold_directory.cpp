// Opens an embedded database and keeps it until the process is killed: the
// other process of the tests about locks.
#include <unistd.h>

#include <cstdio>

#include "runtime/leveldb/database.hpp"

int main(int argc, char** argv) {
  if (argc != 2)
    return 2;
  weir::embedded_options options;
  options.directory = argv[1];
  auto world = weir::make_outside_world();
  auto database = weir::open_embedded(options, *world);
  if (!database) {
    std::printf("%s\n", to_string(database.error()).c_str());
    return 1;
  }
  std::puts("holding");
  std::fflush(stdout);
  for (;;)
    ::pause();
}
