#include "test/driver/file_env.hpp"

#include <utility>

#include <fmt/format.h>

#include "runtime/leveldb/guarded_env.hpp"
#include "test/driver/memory_env.hpp"

namespace weir {

struct file_env::disk : detail::memory_disk {};

namespace {

class guarded_memory_env final : public detail::guarded_env {
public:
  explicit guarded_memory_env(detail::memory_env& base)
      : guarded_env(&base), base_(base) {}

  leveldb::Status sync_directory(const std::string& path) override {
    return base_.sync_directory(path);
  }

private:
  detail::memory_env& base_;
};

class memory_environment final : public environment {
public:
  memory_environment(detail::view on, file_guards guards)
      : env_(std::move(on)), guarded_(env_), guards_(guards) {}

  leveldb::Env& native() noexcept override {
    return guards_ == file_guards::on ? static_cast<leveldb::Env&>(guarded_)
                                      : env_;
  }
  void run_scheduled() override { env_.run_scheduled(); }

private:
  detail::memory_env env_;
  guarded_memory_env guarded_;
  file_guards guards_;
};

} // namespace

// -- file_env

file_env::file_env() : disk_(std::make_shared<disk>()) {}
file_env::~file_env() = default;

std::shared_ptr<environment> file_env::current(file_guards guards) const {
  return std::make_shared<memory_environment>(
      detail::view{disk_, disk_->present}, guards);
}

std::string file_env::boot_id() const {
  return fmt::format("boot-{}", disk_->boot);
}

void file_env::crash_process() {
  disk_->next_life();
}

void file_env::crash_power(const std::function<std::uint64_t()>& random) {
  disk_->lose_power(random);
}

std::uint64_t file_env::operations() const noexcept {
  return disk_->operations;
}

void file_env::inject(std::uint64_t at, file_fault fault) {
  disk_->fault_at = at;
  disk_->fault = fault;
}

void file_env::set_full(bool full, std::size_t room) {
  disk_->full = full;
  disk_->room = room;
}

bool file_env::crashed() const noexcept {
  return disk_->crashed;
}

void file_env::set_trace(std::function<void(std::string_view)> trace) {
  disk_->trace = std::move(trace);
}

void file_env::set_clock(std::function<std::uint64_t()> now_us) {
  disk_->now_us = std::move(now_us);
}

std::vector<std::string> file_env::files() const {
  std::vector<std::string> out;
  for (auto& [path, file] : disk_->live.files)
    out.push_back(path);
  return out;
}

std::optional<std::string> file_env::contents(const std::string& path) const {
  auto file = disk_->find(path);
  return file ? std::optional{file->bytes} : std::nullopt;
}

void file_env::set_contents(const std::string& path, std::string bytes) {
  auto file = disk_->find(path);
  if (!file)
    file = disk_->create(path);
  file->bytes = std::move(bytes);
  disk_->sync_names();
  disk_->sync(*file);
}

} // namespace weir
