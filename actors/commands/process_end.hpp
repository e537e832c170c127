// How the process of a node ends: signals, and the last deadline of a stop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace weir {

/// Takes SIGTERM and SIGINT on a thread of its own, which no actor, lock or
/// library can hold up: the first signal asks for an orderly stop, the second
/// ends the process at once. A stop that has begun and is not over in time ends
/// the process too, naming what it waited for (rule H34). That is a crash,
/// which is safe. Thread-safe.
class process_end {
public:
  using milliseconds = std::chrono::milliseconds;

  /// Blocks the signals: before any other thread exists, so that all of them
  /// inherit that. `what` is the line's beginning: "job ticks".
  process_end(std::string what, milliseconds limit);
  ~process_end();
  process_end(const process_end&) = delete;
  process_end& operator=(const process_end&) = delete;

  /// `stop` is called with the signal's name; at once, if there was one before.
  void on_signal(std::function<void(const char* name)> stop);

  /// A stop has begun, if none had: from now on the limit counts.
  void begin();
  /// What the stop waits for.
  void waits_for(std::string left);
  /// All that counts is done: what is left may take `limit` more at most, and
  /// the process ends with `code` if it does not.
  void done(int code, milliseconds limit);

private:
  using clock = std::chrono::steady_clock;

  void run();
  /// True: this thread is to end.
  bool handle(int signal);
  std::optional<clock::time_point> deadline();
  [[noreturn]] void end_now();
  void wake();

  const std::string what_;
  const milliseconds limit_;
  sigset_t set_{};
  std::mutex mutex_;
  std::function<void(const char*)> stop_;
  /// The first signal.
  const char* asked_ = nullptr;
  std::optional<clock::time_point> deadline_;
  std::string left_ = "its start";
  int code_ = 1;
  bool done_ = false;
  bool over_ = false;
  std::thread thread_;
};

} // namespace weir
