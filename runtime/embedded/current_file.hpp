// The file that names the present state of a LevelDB database.
#pragma once

#include <string>

namespace leveldb {
class Env;
} // namespace leveldb

namespace weir {

/// Whether `directory` has the data of a database but not its file CURRENT.
/// LevelDB would begin an empty database there and remove what is left: ask
/// before each open.
bool lacks_current(leveldb::Env& env, const std::string& directory);

} // namespace weir
