#include "test/servers/child_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace weir::test {

namespace {

constexpr std::size_t lines_kept = 2'000;

} // namespace

child_process::child_process(std::vector<std::string> command) {
  thread_ = std::thread{[this, command = std::move(command)]() mutable {
    run(std::move(command));
  }};
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] { return started_ || ended_; });
  if (!failure_.empty()) {
    guard.unlock();
    thread_.join();
    throw std::runtime_error{failure_};
  }
}

child_process::~child_process() {
  kill();
  thread_.join();
}

void child_process::run(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (auto& each : command)
    arguments.push_back(each.data());
  arguments.push_back(nullptr);
  int ends[2];
  pid_t parent = getpid();
  pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
  if (child == 0) {
    // Only async-signal-safe calls: other threads may hold any lock.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    const char* text = strerrordesc_np(errno);
    [[maybe_unused]] auto n = write(STDERR_FILENO, text, strlen(text));
    _exit(127);
  }
  {
    std::lock_guard guard{mutex_};
    if (child < 0)
      failure_ = "cannot start " + command[0] + ": " + std::strerror(errno);
    pid_ = child;
    started_ = child > 0;
    ended_ = child < 0;
  }
  changed_.notify_all();
  if (child < 0)
    return;
  close(ends[1]);
  read_output(ends[0]);
  close(ends[0]);
  // The pid stays ours until it is reaped, under the lock: no signal can hit a
  // stranger.
  siginfo_t info{};
  while (waitid(P_PID, child, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
    ;
  {
    std::lock_guard guard{mutex_};
    waitpid(child, &status_, 0);
    ended_ = true;
  }
  changed_.notify_all();
}

void child_process::read_output(int from) {
  std::string line;
  char buffer[4096];
  for (;;) {
    auto got = read(from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    std::lock_guard guard{mutex_};
    for (auto c : std::string_view{buffer, static_cast<std::size_t>(got)}) {
      if (c != '\n') {
        line += c;
        continue;
      }
      lines_.push_back(std::move(line));
      line.clear();
      if (lines_.size() > lines_kept) {
        lines_.pop_front();
        ++lines_dropped_;
      }
    }
    changed_.notify_all();
  }
  if (!line.empty()) {
    std::lock_guard guard{mutex_};
    lines_.push_back(std::move(line));
  }
}

bool child_process::wait_for_output(const std::string& text,
                                    std::chrono::milliseconds limit) {
  std::unique_lock guard{mutex_};
  std::size_t seen = 0;
  bool found = false;
  changed_.wait_for(guard, limit, [&] {
    seen = std::max(seen, lines_dropped_);
    for (; seen < lines_dropped_ + lines_.size() && !found; ++seen)
      found = lines_[seen - lines_dropped_].find(text) != std::string::npos;
    return found || ended_;
  });
  return found;
}

bool child_process::wait_for_exit(std::chrono::milliseconds limit) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, limit, [this] { return ended_; });
}

int child_process::wait_status() const {
  std::lock_guard guard{mutex_};
  return status_;
}

bool child_process::running() const {
  std::lock_guard guard{mutex_};
  return !ended_;
}

void child_process::send_signal(int signal) {
  std::lock_guard guard{mutex_};
  if (!ended_)
    ::kill(pid_, signal);
}

void child_process::pause() {
  send_signal(SIGSTOP);
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info,
                WSTOPPED | WEXITED | WNOWAIT) != 0 &&
         errno == EINTR)
    ;
}

void child_process::terminate(std::chrono::milliseconds grace) {
  send_signal(SIGTERM);
  if (!wait_for_exit(grace))
    kill();
}

void child_process::kill() {
  send_signal(SIGKILL);
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] { return ended_; });
}

std::string child_process::last_output() const {
  std::lock_guard guard{mutex_};
  std::string text;
  auto first = lines_.size() > 40 ? lines_.size() - 40 : 0;
  for (auto i = first; i < lines_.size(); ++i)
    text += lines_[i] + '\n';
  return text;
}

int free_port() {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bool good =
      listener >= 0 &&
      bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (listener >= 0)
    close(listener);
  if (!good)
    throw std::runtime_error{"no free port on 127.0.0.1"};
  return ntohs(address.sin_port);
}

} // namespace weir::test
