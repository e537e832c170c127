#include "runtime/base/cancel.hpp"

namespace weir {

namespace {

thread_local const cancel_token* current = nullptr;

} // namespace

bool job_cancelled() noexcept {
  return current != nullptr && current->cancelled();
}

running_job::running_job(const cancel_token& token) noexcept
    : before_(current) {
  current = &token;
}

running_job::~running_job() {
  current = before_;
}

} // namespace weir
