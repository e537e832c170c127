// Waiting for what a session calls back, with a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/coordination/coordination.hpp"

namespace weir::test {

/// Long, because a loaded machine stalls for seconds; a failure costs it once.
inline constexpr std::chrono::seconds patience{60};

/// Things that happened, in order. Thread-safe; shared with the callbacks.
template <class T>
class recorder {
public:
  void add(T x) {
    {
      std::lock_guard guard{mutex_};
      all_.push_back(std::move(x));
    }
    changed_.notify_all();
  }

  std::vector<T> all() const {
    std::lock_guard guard{mutex_};
    return all_;
  }
  std::size_t count() const { return all().size(); }

  /// False if `enough(all)` did not come true in time.
  template <class Enough>
  bool wait(Enough enough) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, patience, [&] { return enough(all_); });
  }
  bool wait_count(std::size_t n) {
    return wait([n](auto& all) { return all.size() >= n; });
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> all_;
};

/// A recorder of T that callbacks may outlive.
template <class T>
std::shared_ptr<recorder<T>> make_recorder() {
  return std::make_shared<recorder<T>>();
}

/// A result whose value is asked for only if there is one: throws the error
/// instead, which ends the test case with its text.
template <class T>
class checked : public result<T> {
public:
  checked(result<T> from) : result<T>(std::move(from)) {}

  const T* operator->() const { return &**this; }
  const T& operator*() const {
    if (!this->has_value())
      throw std::runtime_error{to_string(this->error())};
    return result<T>::operator*();
  }
};

/// Makes an asynchronous call and waits for its answer. Throws if there is none
/// in time.
template <class T, class Call>
result<T> await(Call call) {
  auto promise = std::make_shared<std::promise<result<T>>>();
  auto answered = promise->get_future();
  call([promise](result<T> r) { promise->set_value(std::move(r)); });
  if (answered.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error{"no answer"};
  return answered.get();
}

/// A blocking face for a session.
class talk {
public:
  explicit talk(coordination& to) : to_(to) {}

  checked<std::string> create(const std::string& path, std::string data = {},
                              create_mode mode = create_mode::persistent) {
    return await<std::string>([&](auto done) {
      to_.create(path, std::move(data), mode, std::move(done));
    });
  }
  result<void> ensure(const std::string& path, std::string data = {}) {
    return await<void>(
        [&](auto done) { to_.ensure(path, std::move(data), std::move(done)); });
  }
  checked<znode> get(const std::string& path,
                     coordination::watcher watch = nullptr) {
    return await<znode>(
        [&](auto done) { to_.get(path, std::move(watch), std::move(done)); });
  }
  checked<znode_stat> set(const std::string& path, std::string data,
                          std::int32_t version = any_version) {
    return await<znode_stat>([&](auto done) {
      to_.set(path, std::move(data), version, std::move(done));
    });
  }
  result<void> remove(const std::string& path,
                      std::int32_t version = any_version) {
    return await<void>(
        [&](auto done) { to_.remove(path, version, std::move(done)); });
  }
  checked<std::vector<std::string>>
  children(const std::string& path, coordination::watcher watch = nullptr) {
    return await<std::vector<std::string>>([&](auto done) {
      to_.children(path, std::move(watch), std::move(done));
    });
  }
  result<void> multi(std::vector<znode_op> ops) {
    return await<void>(
        [&](auto done) { to_.multi(std::move(ops), std::move(done)); });
  }
  result<void> sync(const std::string& path = "/") {
    return await<void>([&](auto done) { to_.sync(path, std::move(done)); });
  }

private:
  coordination& to_;
};

/// "ok" or the name of the code: what a failed check prints.
template <class T>
std::string outcome(const result<T>& r) {
  return r ? "ok" : std::string{to_string(r.error().code())};
}

} // namespace weir::test
