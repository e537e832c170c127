// A LevelDB Env over real files that counts syncs, can fail appends, and can
// keep background work for the caller, as a simulation's does.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include <leveldb/env.h>

namespace weir::test {

class faulty_env final : public leveldb::EnvWrapper {
public:
  faulty_env() : EnvWrapper(leveldb::Env::Default()) {}

  leveldb::Status NewWritableFile(const std::string& name,
                                  leveldb::WritableFile** out) override {
    auto status = target()->NewWritableFile(name, out);
    if (status.ok())
      *out = new file{*this, std::unique_ptr<leveldb::WritableFile>{*out}};
    return status;
  }

  void Schedule(void (*job)(void*), void* argument) override {
    if (queue_jobs)
      jobs_.emplace_back(job, argument);
    else
      target()->Schedule(job, argument);
  }

  void run_jobs() {
    while (!jobs_.empty()) {
      auto [job, argument] = jobs_.front();
      jobs_.pop_front();
      job(argument);
      ++jobs_run;
    }
  }

  /// Set before the database opens.
  bool queue_jobs = false;
  int jobs_run = 0;
  std::atomic<bool> full{false};
  std::atomic<int> syncs{0};

private:
  struct file final : leveldb::WritableFile {
    file(faulty_env& x, std::unique_ptr<leveldb::WritableFile> y)
        : env(x), inner(std::move(y)) {}

    leveldb::Status Append(const leveldb::Slice& data) override {
      if (env.full)
        return leveldb::Status::IOError("the disk is full");
      return inner->Append(data);
    }
    leveldb::Status Close() override { return inner->Close(); }
    leveldb::Status Flush() override { return inner->Flush(); }
    leveldb::Status Sync() override {
      ++env.syncs;
      return inner->Sync();
    }

    faulty_env& env;
    std::unique_ptr<leveldb::WritableFile> inner;
  };

  std::deque<std::pair<void (*)(void*), void*>> jobs_;
};

} // namespace weir::test
