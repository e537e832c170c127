#include "runtime/stream/feeder.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "runtime/stream/partitioner.hpp"

namespace weir {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// Paced records leave in slices of this length: fine enough for a linger of a
/// few milliseconds, coarse enough to cost nothing.
constexpr nanoseconds slice = milliseconds{1};
constexpr nanoseconds progress_interval = std::chrono::seconds{1};
constexpr nanoseconds hurried_patience = std::chrono::seconds{5};
/// How many records are sent between two looks at the time, unpaced.
constexpr std::uint64_t unpaced_slice = 256;

class steady_timer : public feed_timer {
public:
  nanoseconds now() override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
  void wait_until(nanoseconds when) override {
    std::this_thread::sleep_until(std::chrono::steady_clock::time_point{
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(when)});
  }
};

/// One listener for all records: counts, and keeps the first error.
class acknowledgements : public delivery_listener {
public:
  void delivered(std::int64_t) noexcept override {
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  void failed(const error& why) noexcept override {
    std::lock_guard guard{mutex_};
    if (!first_error_)
      first_error_ = why;
    any_failed_.store(true, std::memory_order_release);
  }

  std::uint64_t count() const noexcept {
    return count_.load(std::memory_order_relaxed);
  }
  bool any_failed() const noexcept {
    return any_failed_.load(std::memory_order_acquire);
  }
  error first_error() const {
    std::lock_guard guard{mutex_};
    return *first_error_;
  }

private:
  std::atomic<std::uint64_t> count_{0};
  std::atomic<bool> any_failed_{false};
  mutable std::mutex mutex_;
  std::optional<error> first_error_;
};

result<void> refuse_records(stream_system& streams, const std::string& topic,
                            int partitions) {
  for (int p = 0; p < partitions; ++p) {
    auto marks =
        streams.query_watermarks(topic, p, isolation::read_uncommitted);
    if (!marks)
      return fail(std::move(marks.error()));
    if (marks->high > marks->low)
      return fail(ec::already_exists,
                  "topic '" + topic + "' has records already (partition " +
                      std::to_string(p) + "); use --append to add to them");
  }
  return {};
}

/// Makes sure that the topic exists and may be fed.
result<void> prepare_topic(stream_system& streams,
                           const feed_options& options) {
  auto& topic = options.topic;
  auto found = streams.describe_topic(topic);
  if (!found)
    return fail(std::move(found.error()));
  if (!*found) {
    if (!options.create)
      return fail(ec::not_found, "topic '" + topic +
                                     "' does not exist: create it, or give "
                                     "--partitions");
    topic_settings wanted;
    wanted.partitions = options.partitions.value_or(default_partitions);
    wanted.config["retention.ms"] = "-1";
    return streams.create_topic(topic, wanted);
  }
  auto partitions = (*found)->partitions;
  if (options.partitions && *options.partitions != partitions)
    return fail(ec::bad_argument,
                "topic '" + topic + "' has " + std::to_string(partitions) +
                    " partitions, not " + std::to_string(*options.partitions) +
                    "; leave --partitions out or use another topic");
  return options.append ? result<void>{}
                        : refuse_records(streams, topic, partitions);
}

class feeder {
public:
  feeder(feed_source& source, const feed_options& options, feed_timer& timer)
      : source_(source), options_(options), timer_(timer), start_(timer.now()),
        reported_(start_), moved_(start_) {}

  result<feed_report> run(stream_system& streams) {
    auto opened = open(streams);
    if (!opened)
      return fail(std::move(opened.error()));
    while (!at_end_ && !stopping())
      if (auto ok = send_slice(); !ok)
        return fail(std::move(ok.error()));
    if (auto ok = drain(); !ok)
      return fail(std::move(ok.error()));
    report_.took = timer_.now() - start_;
    tell();
    return std::move(report_);
  }

private:
  result<void> open(stream_system& streams) {
    producer_options options;
    options.linger = options_.linger;
    options.topics = {options_.topic};
    auto made = streams.open_producer(std::move(options));
    if (!made)
      return fail(std::move(made.error()));
    producer_ = std::move(*made);
    auto topic = producer_->open_topic(options_.topic);
    if (!topic)
      return fail(std::move(topic.error()));
    topic_ = *topic;
    report_.per_partition.resize(static_cast<std::size_t>(topic_.partitions));
    // Opening takes a while; the schedule begins with the first record.
    start_ = reported_ = moved_ = timer_.now();
    return {};
  }

  bool stopping() const { return options_.stop && options_.stop(); }

  /// Who asks to stop does not want to wait for a broker that is away.
  nanoseconds hurry() const {
    return std::min<nanoseconds>(options_.patience, hurried_patience);
  }

  /// How many records should have been sent by now. The schedule is absolute:
  /// what a slow moment holds up is made up for.
  std::uint64_t due(nanoseconds elapsed) const {
    if (options_.rate == 0)
      return report_.records + unpaced_slice;
    auto seconds =
        static_cast<std::uint64_t>(elapsed / std::chrono::seconds{1});
    auto rest =
        static_cast<std::uint64_t>((elapsed % std::chrono::seconds{1}).count());
    return seconds * options_.rate + rest * options_.rate / 1'000'000'000u + 1;
  }

  result<void> send_slice() {
    auto now = timer_.now();
    for (auto until = due(now - start_); report_.records < until;) {
      auto more = source_.next(record_);
      if (!more)
        report_.problem = std::move(more.error());
      if (!more || !*more) {
        at_end_ = true;
        return {};
      }
      if (auto sent = send(); !sent || stopping())
        return sent;
    }
    if (options_.rate != 0)
      timer_.wait_until(now + slice);
    return look_around();
  }

  result<void> send() {
    auto partition = place();
    if (partition < 0 || partition >= topic_.partitions)
      return fail(ec::bad_argument, "topic '" + options_.topic +
                                        "' has no partition " +
                                        std::to_string(partition) + ", only " +
                                        std::to_string(topic_.partitions));
    headers_.clear();
    for (auto& [name, value] : record_.headers)
      headers_.push_back({name, value});
    outgoing record;
    record.topic = topic_;
    record.partition = partition;
    record.key = record_.key;
    record.value = record_.value;
    record.headers = headers_;
    record.timestamp = record_.timestamp.value_or(-1);
    for (;;) {
      auto sent = producer_->send(record, &acknowledged_);
      if (sent) {
        ++report_.records;
        ++report_.per_partition[static_cast<std::size_t>(partition)];
        return {};
      }
      if (sent.error().code() != ec::queue_full)
        return fail(sent.error().within(
            "record " + std::to_string(report_.records) +
            (record_.key ? ", key '" + *record_.key + "'" : std::string{})));
      if (stopping())
        return {};
      timer_.wait_until(timer_.now() + slice);
      if (auto ok = look_around(); !ok)
        return ok;
    }
  }

  std::int32_t place() const {
    if (record_.partition)
      return *record_.partition;
    if (record_.key)
      return partition_of(*record_.key, topic_.partitions);
    return static_cast<std::int32_t>(
        report_.records % static_cast<std::uint64_t>(topic_.partitions));
  }

  /// Errors that came meanwhile, progress, and patience.
  result<void> look_around() {
    if (acknowledged_.any_failed())
      return fail(
          acknowledged_.first_error().within("topic '" + options_.topic + "'"));
    auto now = timer_.now();
    auto count = acknowledged_.count();
    if (count != last_count_ || count == report_.records) {
      last_count_ = count;
      moved_ = now;
    } else if (now - moved_ > (stopping() ? hurry() : options_.patience)) {
      return fail(ec::timed_out,
                  "topic '" + options_.topic +
                      "': " + std::to_string(report_.records - count) +
                      " records were not acknowledged; is the broker up?");
    }
    if (now - reported_ >= progress_interval) {
      reported_ = now;
      tell();
    }
    return {};
  }

  result<void> drain() {
    while (acknowledged_.count() < report_.records) {
      auto flushed = producer_->flush(milliseconds{500});
      if (!flushed && flushed.error().code() != ec::timed_out)
        return flushed;
      if (auto ok = look_around(); !ok)
        return ok;
    }
    return {};
  }

  void tell() const {
    if (options_.on_progress)
      options_.on_progress({report_.records, acknowledged_.count(),
                            source_.total(), timer_.now() - start_});
  }

  feed_source& source_;
  const feed_options& options_;
  feed_timer& timer_;
  nanoseconds start_;
  nanoseconds reported_;
  /// When an acknowledgement was last seen.
  nanoseconds moved_;
  std::uint64_t last_count_ = 0;
  bool at_end_ = false;
  feed_report report_;
  fed_record record_;
  std::vector<header> headers_;
  topic_ref topic_;
  // The producer calls the listener until it is destroyed.
  acknowledgements acknowledged_;
  std::unique_ptr<producer> producer_;
};

} // namespace

result<feed_report> feed(stream_system& streams, record_source& source,
                         const feed_options& options, feed_timer* timer) {
  class adapter final : public feed_source {
  public:
    explicit adapter(record_source& of) : of_(of) {}
    result<bool> next(fed_record& x) override {
      return of_.next(x.key ? *x.key : x.key.emplace(),
                      x.value ? *x.value : x.value.emplace());
    }
    std::optional<std::uint64_t> total() const override { return of_.total(); }

  private:
    record_source& of_;
  } records{source};
  return feed(streams, static_cast<feed_source&>(records), options, timer);
}

result<feed_report> feed(stream_system& streams, feed_source& source,
                         const feed_options& options, feed_timer* timer) {
  if (options.partitions && *options.partitions < 1)
    return fail(ec::bad_argument, "--partitions must be at least 1");
  if (auto ok = prepare_topic(streams, options); !ok)
    return fail(std::move(ok.error()));
  steady_timer real;
  return feeder{source, options, timer != nullptr ? *timer : real}.run(streams);
}

} // namespace weir
