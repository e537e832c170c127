#include "runtime/leveldb/disk_room.hpp"

#include <algorithm>
#include <memory>

#include <leveldb/env.h>

namespace weir {

result<void> check_room(environment& files, const std::string& directory,
                        std::size_t bytes) {
  if (auto made = make_directories(files, directory); !made)
    return made;
  auto& env = files.native();
  auto path = directory + "/room.probe";
  leveldb::WritableFile* opened = nullptr;
  auto status = env.NewWritableFile(path, &opened);
  std::unique_ptr<leveldb::WritableFile> file{opened};
  std::string block(std::min<std::size_t>(bytes, 64u << 10), 'r');
  for (std::size_t left = bytes; status.ok() && left > 0;) {
    auto size = std::min(left, block.size());
    status = file->Append({block.data(), size});
    left -= size;
  }
  if (status.ok())
    status = file->Sync();
  if (file)
    file->Close();
  file.reset();
  env.RemoveFile(path);
  if (status.ok())
    return {};
  return fail(ec::io_error, "there is no room for " + std::to_string(bytes) +
                                " bytes in '" + directory +
                                "': " + status.ToString() +
                                "; the task goes on when there is");
}

} // namespace weir
