// How a piece of work learns that nobody wants it any more.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

namespace weir {

/// A flag that its copies share, below a parent's. Thread-safe; never goes
/// back.
class cancel_token {
public:
  /// Never cancelled.
  cancel_token() = default;

  /// A fresh one; what cancels `parent` cancels it too.
  static cancel_token below(cancel_token parent = {}) {
    cancel_token out;
    out.state_ = std::make_shared<state>();
    out.state_->parent = std::move(parent.state_);
    return out;
  }

  void cancel() noexcept {
    if (state_)
      state_->cancelled = true;
  }

  bool cancelled() const noexcept {
    for (auto* each = state_.get(); each != nullptr; each = each->parent.get())
      if (each->cancelled)
        return true;
    return false;
  }

private:
  struct state {
    std::atomic<bool> cancelled{false};
    std::shared_ptr<state> parent;
  };

  std::shared_ptr<state> state_;
};

/// How long a job may wait before it looks again whether it was cancelled.
inline constexpr std::chrono::milliseconds cancel_slice{200};

/// Whether the job that this thread runs has been cancelled; false outside of
/// an executor. For blocking calls that wait in slices.
bool job_cancelled() noexcept;

/// Makes `token` that of the thread's job while it lives.
class running_job {
public:
  explicit running_job(const cancel_token& token) noexcept;
  running_job(const running_job&) = delete;
  running_job& operator=(const running_job&) = delete;
  ~running_job();

private:
  const cancel_token* before_;
};

} // namespace weir
