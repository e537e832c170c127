// `consume`: prints the records of a topic of the job.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "actors/base/ready_signal.hpp"
#include "actors/commands/commands.hpp"
#include "actors/commands/record_text.hpp"
#include "actors/host/systems.hpp"

namespace weir {

namespace {

/// A signal may come at any moment: a wait is no longer than this.
constexpr milliseconds look_around{50};
constexpr std::size_t batch_records = 500;

volatile std::sig_atomic_t interrupted = 0;

/// What is read, and what is known of it.
struct source_topic {
  std::string name;
  /// Null: of unknown types.
  const part* declared = nullptr;
};

result<source_topic> find_topic(const job& of, const consume_options& how) {
  if (how.dead_letter)
    return source_topic{of.dead_letter(), nullptr};
  auto& outputs = of.outputs();
  if (how.topic.empty() && outputs.empty())
    return fail(ec::bad_argument,
                "job '" + of.name() + "' has no output: give --input NAME");
  auto name = how.topic.empty() ? outputs.front() : how.topic;
  for (auto kind : {role::output, role::input})
    if (auto* found = of.find(kind, name))
      return source_topic{of.topic(name), found};
  std::vector<std::string> all{outputs};
  all.insert(all.end(), of.inputs().begin(), of.inputs().end());
  return fail(ec::bad_argument,
              fmt::format("job '{}' has no topic '{}': it has {}", of.name(),
                          name, fmt::join(all, ", ")));
}

class consumer {
public:
  consumer(stream_system& streams, const source_topic& from,
           const consume_options& how)
      : streams_(streams), from_(from), how_(how) {}

  /// The exit code. Errors: those of the stream system.
  result<int> run() {
    auto found = streams_.describe_topic(from_.name);
    if (!found)
      return fail(found.error());
    if (!*found)
      return fail(ec::not_found, "topic '" + from_.name + "' does not exist");
    auto partitions = (*found)->partitions;
    if (how_.partition && *how_.partition >= partitions)
      return fail(ec::bad_argument,
                  fmt::format("topic '{}' has no partition {}, only {}",
                              from_.name, *how_.partition, partitions));
    for (int p = 0; p < partitions; ++p)
      if (!how_.partition || *how_.partition == p)
        if (auto opened = open(p); !opened)
          return fail(opened.error());
    return how_.follow ? follow() : read_all();
  }

private:
  struct open_partition {
    std::unique_ptr<partition_reader> reader;
    /// Read up to here; -1 = for ever.
    std::int64_t end = -1;
  };

  isolation level() const {
    return how_.uncommitted ? isolation::read_uncommitted
                            : isolation::read_committed;
  }

  result<void> open(int partition) {
    auto marks = streams_.query_watermarks(from_.name, partition, level());
    if (!marks)
      return fail(marks.error());
    reader_options options;
    options.topic = from_.name;
    options.partition = partition;
    options.level = level();
    options.start = how_.latest ? marks->high
                                : std::clamp(how_.from.value_or(marks->low),
                                             marks->low, marks->high);
    options.on_ready = [this] { bell_.set(); };
    auto reader = streams_.open_reader(options);
    if (!reader)
      return fail(reader.error());
    partitions_.push_back({std::move(*reader), marks->high});
    return {};
  }

  bool is_over() const {
    return interrupted != 0 || closed_ ||
           (how_.count && *how_.count == printed_);
  }

  /// Prints what there is. Errors: those of the reader.
  result<bool> read_some(open_partition& from, bool to_end) {
    if (auto done = from.reader->poll(batch_, batch_records); !done)
      return fail(done.error());
    for (auto& x : batch_.records()) {
      if (is_over() || (to_end && x.offset() >= from.end))
        break;
      print(x);
    }
    auto any = !batch_.empty();
    batch_.clear();
    return any;
  }

  /// One partition after the other, up to the ends that there were.
  result<int> read_all() {
    for (auto& each : partitions_)
      while (!is_over() && each.reader->position() < each.end) {
        auto any = read_some(each, true);
        if (!any)
          return fail(any.error());
        if (!*any)
          bell_.wait(look_around);
      }
    return finish();
  }

  result<int> follow() {
    while (!is_over()) {
      bool any = false;
      for (auto& each : partitions_) {
        auto got = read_some(each, false);
        if (!got)
          return fail(got.error());
        any |= *got;
      }
      if (any)
        continue;
      flush();
      bell_.wait(look_around);
    }
    return finish();
  }

  void print(const record& x) {
    auto line = how_.json || how_.dead_letter ? json_line_of(from_.declared, x)
                                              : line_of(from_.declared, x);
    line += '\n';
    closed_ |= std::fwrite(line.data(), 1, line.size(), stdout) != line.size();
    ++printed_;
  }
  void flush() { closed_ |= std::fflush(stdout) != 0; }

  /// A reader that is gone has seen enough; a full disk has not.
  int finish() {
    flush();
    if (!closed_ || errno == EPIPE)
      return exit_code::ok;
    return finish_output();
  }

  stream_system& streams_;
  const source_topic& from_;
  const consume_options& how_;
  // The readers ring it until they are gone.
  ready_signal bell_;
  std::vector<open_partition> partitions_;
  record_batch batch_;
  std::uint64_t printed_ = 0;
  bool closed_ = false;
};

} // namespace

int consume_command(const configuration& how, const consume_options& options) {
  auto from = find_topic(how.job, options);
  if (!from)
    return report(from.error());
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  auto code = [&]() -> result<int> {
    return consumer{*systems->streams, *from, options}.run();
  }();
  close_systems(*systems);
  return code ? *code : report(code.error());
}

} // namespace weir
