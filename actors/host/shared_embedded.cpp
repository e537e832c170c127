#include "actors/host/shared_embedded.hpp"

#include <filesystem>
#include <map>
#include <mutex>

#include "runtime/embedded/log/streams.hpp"
#include "runtime/leveldb/database.hpp"

namespace weir {

namespace {

struct entry {
  std::unique_ptr<shared_embedded> what;
  int users = 0;
};

struct registry {
  std::mutex mutex;
  std::map<std::string, entry> open;
};

registry& of_process() {
  static registry out;
  return out;
}

/// The same for every way to write it.
std::string canonical(const std::string& directory) {
  std::error_code ignored;
  auto out = std::filesystem::weakly_canonical(directory, ignored);
  return ignored ? directory : out.string();
}

} // namespace

result<std::shared_ptr<shared_embedded>>
shared_embedded::open(const std::string& directory,
                      std::shared_ptr<outside_world> world) {
  auto& all = of_process();
  auto name = canonical(directory);
  // Held while it is opened and closed: the next one waits for that.
  std::lock_guard guard{all.mutex};
  auto& found = all.open[name];
  if (!found.what) {
    auto made = std::make_unique<shared_embedded>();
    if (auto opened = made->open_parts(directory, std::move(world)); !opened) {
      all.open.erase(name);
      return fail(opened.error());
    }
    found.what = std::move(made);
  }
  ++found.users;
  return std::shared_ptr<shared_embedded>{found.what.get(),
                                          [name](shared_embedded*) {
                                            auto& all = of_process();
                                            std::lock_guard guard{all.mutex};
                                            auto i = all.open.find(name);
                                            if (--i->second.users == 0)
                                              all.open.erase(i);
                                          }};
}

result<void> shared_embedded::open_parts(const std::string& directory,
                                         std::shared_ptr<outside_world> world) {
  files_ = make_posix_environment();
  embedded_options options;
  options.directory = directory;
  options.env = &files_->native();
  // Also keeps the files as long as the database.
  options.run_background = [files = files_] { files->run_scheduled(); };
  auto database = open_embedded(options, *world);
  if (!database)
    return fail(database.error());
  auto streams = make_embedded_streams(*database, std::move(world));
  if (!streams)
    return fail(streams.error());
  streams_ = std::move(*streams);
  std::shared_ptr<executor> callbacks = make_thread_executor("weir-coord", 1);
  coordination_ = make_embedded_coordination(*database, callbacks);
  return {};
}

} // namespace weir
