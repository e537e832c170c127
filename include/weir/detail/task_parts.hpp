// The task behind its parts, as their constructors and emits see it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "weir/detail/export.hpp"
#include "weir/detail/part.hpp"

namespace weir {

struct emit_options;

namespace detail {

class handler;

/// One side of a record that is emitted; its bytes end with the call.
struct raw_side {
  std::string_view bytes;
  bool there = false;
};

/// Which task it is.
struct task_place {
  std::string job;
  /// -1 where only the wiring is looked at.
  int partition = -1;
  /// Of each input: tasks of the job.
  int partitions = 0;
};

/// A task, or what takes its place where only its wiring is looked at. On the
/// task's thread; outlives the parts.
class WEIR_EXPORT task_parts {
public:
  virtual ~task_parts() = default;

  // In the task's constructor. Each throws store_error with `bad_argument`
  // where the job does not list such a definition.

  virtual store_core& open_store(const part& what) = 0;
  /// The topic's number for `emit`.
  virtual int open_topic(const part& what) = 0;
  virtual void handle(const part& what, std::unique_ptr<handler> by) = 0;
  /// The constructor is over.
  virtual void wired() = 0;

  /// Throws store_error in the task's constructor and after its last commit.
  virtual void emit(int topic, const raw_side& key, const raw_side& value,
                    const emit_options& how) = 0;
  virtual const task_place& place() const noexcept = 0;
};

} // namespace detail
} // namespace weir
