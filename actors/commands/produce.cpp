// `produce`: writes records to an input, from standard input or a file.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "actors/commands/commands.hpp"
#include "actors/commands/record_text.hpp"
#include "actors/host/systems.hpp"

namespace weir {

namespace {

volatile std::sig_atomic_t interrupted = 0;

/// Lines of a file descriptor; the last one needs no end.
class line_reader {
public:
  explicit line_reader(int from) : from_(from) {}

  /// False at the end, or when a signal came. Errors: `io_error`.
  result<bool> next(std::string_view& line) {
    buffer_.erase(0, used_);
    used_ = 0;
    std::size_t seen = 0;
    for (;;) {
      auto end = buffer_.find('\n', seen);
      if (end != buffer_.npos) {
        line = std::string_view{buffer_}.substr(0, end);
        used_ = end + 1;
        return true;
      }
      seen = buffer_.size();
      auto more = read_more();
      if (!more)
        return more;
      if (*more)
        continue;
      line = buffer_;
      used_ = buffer_.size();
      return !interrupted && !line.empty();
    }
  }

private:
  result<bool> read_more() {
    constexpr std::size_t step = 64u << 10;
    auto size = buffer_.size();
    buffer_.resize(size + step);
    auto got = ::read(from_, buffer_.data() + size, step);
    auto why = errno;
    buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got >= 0)
      return got > 0;
    // A signal ends it; so does nothing else.
    if (why == EINTR)
      return interrupted == 0;
    return fail(ec::io_error,
                std::string{"cannot read: "} + std::strerror(why));
  }

  int from_;
  std::string buffer_;
  std::size_t used_ = 0;
};

class typed_lines final : public feed_source {
public:
  typed_lines(int from, const part& input, const produce_options& how)
      : lines_(from), input_(input), how_(how) {}

  result<bool> next(fed_record& x) override {
    std::string_view line;
    auto more = lines_.next(line);
    if (!more || !*more)
      return more;
    ++number_;
    auto done = how_.json ? parse_json_line(input_, line, x)
                          : parse_line(input_, line, x);
    if (!done)
      return fail(done.error().within("line " + std::to_string(number_)));
    if (how_.partition)
      x.partition = how_.partition;
    return true;
  }

private:
  line_reader lines_;
  const part& input_;
  const produce_options& how_;
  std::uint64_t number_ = 0;
};

result<const part*> find_input(const job& of, const std::string& name) {
  if (auto* found =
          of.find(role::input, name.empty() ? of.inputs().front() : name))
    return found;
  return fail(ec::bad_argument,
              fmt::format("job '{}' has no input '{}': it "
                          "has {}",
                          of.name(), name, fmt::join(of.inputs(), ", ")));
}

/// Closed with it, but for standard input.
struct opened_file {
  int descriptor = STDIN_FILENO;
  ~opened_file() {
    if (descriptor != STDIN_FILENO)
      ::close(descriptor);
  }
};

result<int> open_file(const std::string& path) {
  auto refuse = [&path](int why) {
    return fail(ec::bad_argument,
                "--file: cannot open '" + path + "': " + std::strerror(why));
  };
  auto descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return refuse(errno);
  // It opens, and only a read says what it is.
  struct stat found {};
  if (::fstat(descriptor, &found) == 0 && S_ISDIR(found.st_mode)) {
    ::close(descriptor);
    return refuse(EISDIR);
  }
  return descriptor;
}

void on_signal(int which) {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  // A read that waits for a terminal ends.
  ::sigaction(which, &action, nullptr);
}

} // namespace

int produce_command(const configuration& how, const produce_options& options) {
  auto input = find_input(how.job, options.input);
  if (!input)
    return report(input.error());
  opened_file file;
  if (options.file) {
    auto opened = open_file(*options.file);
    if (!opened)
      return report(opened.error());
    file.descriptor = *opened;
  }
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  on_signal(SIGINT);
  on_signal(SIGTERM);
  typed_lines lines{file.descriptor, **input, options};
  feed_options feeding;
  feeding.topic = how.job.topic(std::string{(*input)->name});
  feeding.partitions = options.partitions;
  // On servers somebody else may know better how many there should be.
  feeding.create = how.settings.kafka.empty() || options.partitions.has_value();
  feeding.append = true;
  feeding.linger = how.settings.producer_linger;
  feeding.stop = [] { return interrupted != 0; };
  auto fed = feed(*systems->streams, lines, feeding);
  close_systems(*systems);
  if (!fed)
    return report(fed.error());
  std::fprintf(stderr, "weir: %llu records written to topic %s\n",
               static_cast<unsigned long long>(fed->records),
               feeding.topic.c_str());
  if (fed->problem) {
    report(*fed->problem);
    return exit_code::failed;
  }
  return interrupted != 0 ? exit_code::failed : exit_code::ok;
}

} // namespace weir
