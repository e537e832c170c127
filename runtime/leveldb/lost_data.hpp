// Damage of a LevelDB database, also such as LevelDB takes for a crash.
#pragma once

#include <string>

namespace leveldb {
class Env;
class Status;
} // namespace leveldb

namespace weir {

/// Whether the files are not what was written, as against a system that could
/// not do what it was asked for. A file that should be there is damage too.
bool is_damage(const leveldb::Status& status);

/// What the database in `directory` lost, such as "its file CURRENT is
/// missing", or an empty text. Ask before each open: LevelDB would go on
/// without it, and remove what is left. Found are:
///
/// - No CURRENT: LevelDB begins an empty database.
/// - No log of the number that the MANIFEST ends with. LevelDB makes a log
///   before the MANIFEST names it, and removes it after the MANIFEST named a
///   later one: so either the log was lost, or the MANIFEST was cut and with it
///   the tables that its last entries name. (Where those were of compactions
///   only, LevelDB misses the tables that these removed.)
/// - A log that ends before the next one begins: each batch has a number. The
///   logs are synced in their order (guarded_env.hpp), so that no crash leaves
///   that behind.
///
/// The end of the last log can be cut like by a crash: that leaves an older
/// state, but a whole one. What cannot be read is left for LevelDB to complain
/// about.
std::string lost_data(leveldb::Env& env, const std::string& directory);

} // namespace weir
