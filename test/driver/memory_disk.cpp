#include "test/driver/memory_disk.hpp"

#include <utility>

#include <fmt/format.h>

namespace weir::detail {

// -- names

bool name_space::has_parent(const std::string& path) const {
  auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ||
         directories.contains(path.substr(0, slash));
}

bool name_space::is_empty(const std::string& path) const {
  auto below = path + '/';
  auto file = files.lower_bound(below);
  auto directory = directories.lower_bound(below);
  return (file == files.end() || !file->first.starts_with(below)) &&
         (directory == directories.end() || !directory->starts_with(below));
}

void name_space::rename(const std::string& from, const std::string& to) {
  if (auto file = files.find(from); file != files.end()) {
    files[to] = file->second;
    files.erase(file);
    return;
  }
  auto below = from + '/';
  auto moved = [&](const std::string& name) {
    return to + name.substr(from.size());
  };
  for (auto i = files.lower_bound(below);
       i != files.end() && i->first.starts_with(below); i = files.erase(i))
    files[moved(i->first)] = i->second;
  for (auto i = directories.lower_bound(below);
       i != directories.end() && i->starts_with(below);
       i = directories.erase(i))
    directories.insert(moved(*i));
  directories.erase(from);
  directories.insert(to);
}

// -- operations

leveldb::Status memory_disk::begin(std::uint64_t life, std::string_view what,
                                   const std::string& path, bool needs_space,
                                   bool& half) {
  half = false;
  if (dead(life))
    return status::IOError(path, "the process is dead");
  ++operations;
  if (trace)
    trace(fmt::format("{} {}", what, path));
  auto hit = operations == fault_at;
  if (hit && fault == file_fault::crash) {
    crashed = true;
    half = true;
    return status::IOError(path, "the process died");
  }
  if (full ? needs_space : hit && fault == file_fault::no_space) {
    half = true;
    return status::IOError(path, "No space left on device");
  }
  if (hit && fault == file_fault::io_error) {
    half = true;
    return status::IOError(path, "Input/output error");
  }
  return {};
}

inode_ptr memory_disk::find(const std::string& path) const {
  auto i = live.files.find(path);
  return i != live.files.end() ? i->second : nullptr;
}

inode_ptr memory_disk::create(const std::string& path) {
  auto file = std::make_shared<inode>();
  change_names([=](name_space& names) { names.files[path] = file; });
  file->named = done_;
  return file;
}

void memory_disk::rename(const std::string& from, const std::string& to) {
  auto file = find(from);
  change_names([=](name_space& names) { names.rename(from, to); });
  if (file)
    file->named = done_;
}

void memory_disk::remove(const std::string& path) {
  change_names([=](name_space& names) { names.files.erase(path); });
}

void memory_disk::make_directory(const std::string& path) {
  change_names([=](name_space& names) { names.directories.insert(path); });
}

void memory_disk::remove_directory(const std::string& path) {
  change_names([=](name_space& names) { names.directories.erase(path); });
}

void memory_disk::sync(inode& file) {
  harden(file.named);
  file.synced = file.bytes.size();
}

void memory_disk::sync_names() {
  harden(done_);
}

void memory_disk::change_names(change x) {
  x(live);
  journal_.push_back(std::move(x));
  ++done_;
}

void memory_disk::harden(std::uint64_t up_to) {
  for (; hardened_ < up_to; ++hardened_) {
    journal_.front()(durable_);
    journal_.pop_front();
  }
}

// -- crashes

void memory_disk::next_life() {
  ++present;
  crashed = false;
  fault_at = 0;
  locks.clear();
}

void memory_disk::lose_power(const std::function<std::uint64_t()>& random) {
  harden(hardened_ + random() % (journal_.size() + 1));
  journal_.clear();
  hardened_ = done_;
  live = durable_;
  // In the order of names, so that a seed always gives the same disk.
  for (auto& [path, file] : live.files) {
    auto unsynced = file->bytes.size() - file->synced;
    file->bytes.resize(file->synced + random() % (unsynced + 1));
    file->synced = file->bytes.size();
  }
  ++boot;
  next_life();
}

} // namespace weir::detail
