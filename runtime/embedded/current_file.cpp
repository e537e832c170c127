#include "runtime/embedded/current_file.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <leveldb/env.h>

namespace weir {

bool lacks_current(leveldb::Env& env, const std::string& directory) {
  std::vector<std::string> names;
  if (env.FileExists(directory + "/CURRENT") ||
      !env.GetChildren(directory, &names).ok())
    return false;
  return std::any_of(names.begin(), names.end(), [](std::string_view name) {
    return name.ends_with(".ldb") || name.ends_with(".log");
  });
}

} // namespace weir
