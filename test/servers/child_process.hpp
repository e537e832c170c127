// A server as a child process of a test: started, awaited, stopped, never left
// behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::test {

/// Runs one program and keeps the end of what it prints (stdout and stderr).
/// Used by one thread. The kernel kills the child when the test dies: it is the
/// child of a thread of this object that lives exactly as long as the child
/// does, because PR_SET_PDEATHSIG watches threads, not processes.
class child_process {
public:
  /// Throws std::runtime_error if the program cannot be started.
  explicit child_process(std::vector<std::string> command);
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  /// Kills.
  ~child_process();

  /// Waits until the program prints a line that contains `text`; false when it
  /// ended or `limit` passed without.
  bool wait_for_output(const std::string& text,
                       std::chrono::milliseconds limit);
  /// Waits for the end; false when `limit` passed.
  bool wait_for_exit(std::chrono::milliseconds limit);
  /// As waitpid gives it; only after the end.
  int wait_status() const;

  bool running() const;
  pid_t pid() const noexcept { return pid_; }

  void send_signal(int signal);
  /// SIGSTOP; returns when every thread of the process has stopped (or it has
  /// ended): the signal alone takes a while on a busy machine.
  void pause();
  /// SIGTERM, and SIGKILL after `grace`.
  void terminate(std::chrono::milliseconds grace);
  void kill();

  /// The last lines printed, for a failure's message.
  std::string last_output() const;

private:
  void run(std::vector<std::string> command);
  void read_output(int from);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::size_t lines_dropped_ = 0;
  std::string failure_;
  pid_t pid_ = 0;
  int status_ = 0;
  bool started_ = false;
  bool ended_ = false;
  std::thread thread_;
};

/// A TCP port of 127.0.0.1 that nobody listens on at the moment.
int free_port();

} // namespace weir::test
