#include "actors/commands/data_directory.hpp"

#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir {

namespace {

/// That only look at what a job left: on the embedded log all of them, with
/// servers those that show its databases.
constexpr verb_set looking{verb::consume, verb::get,   verb::dump,
                           verb::resume,  verb::reset, verb::adopt};
constexpr verb_set showing_state{verb::get, verb::dump};

/// The number of the error; 0 where it can be listed and entered.
int look_in(const std::string& directory) {
  auto* opened = ::opendir(directory.c_str());
  if (opened == nullptr)
    return errno;
  ::closedir(opened);
  return ::access(directory.c_str(), X_OK) == 0 ? 0 : errno;
}

/// A name that is too long for a file is that of none.
bool is_missing(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) != 0 &&
         (errno == ENOENT || errno == ENAMETOOLONG);
}

/// Empty: there is none.
std::string parent(const std::string& path) {
  auto slash = path.rfind('/');
  auto end =
      slash == std::string::npos ? slash : path.find_last_not_of('/', slash);
  return end == std::string::npos ? std::string{} : path.substr(0, end + 1);
}

failure unreadable(const std::string& directory, int why) {
  return fail(ec::io_error,
              "cannot read the data directory '" + directory +
                  "': " + std::strerror(why) +
                  "; give --data as for `run`, as the user who ran it");
}

} // namespace

result<void> find_data(const settings& how, verb command) {
  bool embedded = how.kafka.empty();
  if (!(embedded ? looking : showing_state).has(command))
    return {};
  auto& data = how.data_directory;
  if (auto why = look_in(data); why == ENOENT)
    return fail(ec::not_found, "there is no data directory '" + data +
                                   "': give --data as for `run`");
  else if (why != 0)
    return unreadable(data, why);
  if (!embedded)
    return {};
  auto log = embedded_directory(how);
  if (auto why = look_in(log); why == ENOENT)
    return fail(ec::not_found, "directory '" + data +
                                   "' has no embedded log: give --data, or "
                                   "--kafka and --zookeeper, as for `run`");
  else if (why != 0)
    return unreadable(log, why);
  return {};
}

missing_directories::missing_directories(const settings& how) {
  for (auto path = embedded_directory(how); !path.empty(); path = parent(path))
    if (is_missing(path))
      paths_.push_back(path);
    else
      return;
}

void missing_directories::remove_empty() const {
  for (auto& each : paths_)
    ::rmdir(each.c_str());
}

} // namespace weir
