// Reading topics from a program.
#include <chrono>

#include "actors/base/ready_signal.hpp"
#include "actors/host/topic_io.hpp"

namespace weir::detail {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t batch_records = 500;
/// A reader says when it has something; a fault of that costs no more.
constexpr duration look_around{200};
/// Of a partition that has more and does not give it.
constexpr duration read_limit{60'000};

class topic_reader final : public raw_reader {
public:
  topic_reader(std::shared_ptr<stream_system> streams, std::string topic)
      : streams_(std::move(streams)), topic_(std::move(topic)) {}

  result<void> open(start_at where) {
    auto found = streams_->describe_topic(topic_);
    if (!found)
      return fail(found.error());
    if (!*found)
      return fail(ec::not_found, "topic '" + topic_ + "' does not exist");
    for (int p = 0; p < (*found)->partitions; ++p) {
      auto marks = ends_of(p);
      if (!marks)
        return fail(marks.error());
      reader_options options;
      options.topic = topic_;
      options.partition = p;
      options.start = where == start_at::end ? marks->high : marks->low;
      options.on_ready = [this] { ready_.set(); };
      auto made = streams_->open_reader(std::move(options));
      if (!made)
        return fail(made.error());
      partitions_.push_back(std::make_unique<partition>());
      partitions_.back()->reader = std::move(*made);
    }
    return {};
  }

  result<std::optional<raw_event>> next(duration patience) override {
    auto until = clock::now() + patience;
    for (;;) {
      // In turns, so that a long partition hides no other.
      for (std::size_t i = 0; i < partitions_.size(); ++i) {
        auto& at = *partitions_[turn_];
        auto more = load(at);
        if (!more)
          return fail(more.error());
        if (*more)
          return std::optional{take(at)};
        turn_ = (turn_ + 1) % partitions_.size();
      }
      auto left = std::chrono::ceil<duration>(until - clock::now());
      if (left.count() <= 0)
        return std::optional<raw_event>{};
      ready_.wait(std::min(left, look_around));
    }
  }

  result<std::vector<raw_event>> rest() override {
    std::vector<raw_event> out;
    for (std::size_t p = 0; p < partitions_.size(); ++p) {
      auto marks = ends_of(static_cast<int>(p));
      if (!marks)
        return fail(marks.error());
      if (auto done = read_to(*partitions_[p], marks->high, out); !done)
        return fail(done.error());
    }
    return out;
  }

private:
  struct partition {
    // Before its reader goes, what it has given.
    std::unique_ptr<partition_reader> reader;
    record_batch batch;
    std::size_t cursor = 0;
  };

  result<watermarks> ends_of(int partition) {
    return streams_->query_watermarks(topic_, partition,
                                      isolation::read_committed);
  }

  /// False: there is nothing now.
  result<bool> load(partition& at) {
    if (at.cursor < at.batch.size())
      return true;
    at.cursor = 0;
    if (auto polled = at.reader->poll(at.batch, batch_records); !polled)
      return fail(polled.error());
    return !at.batch.empty();
  }
  raw_event take(partition& at) {
    return copy_of(at.batch.records()[at.cursor++]);
  }

  result<void> read_to(partition& at, std::int64_t end,
                       std::vector<raw_event>& out) {
    auto until = clock::now() + read_limit;
    for (;;) {
      auto more = load(at);
      if (!more)
        return fail(more.error());
      if (*more) {
        if (at.batch.records()[at.cursor].offset() >= end)
          return {};
        out.push_back(take(at));
        until = clock::now() + read_limit;
        continue;
      }
      if (at.reader->position() >= end)
        return {};
      if (clock::now() >= until)
        return fail(ec::timed_out,
                    "topic '" + topic_ + "' gives nothing more before its end");
      ready_.wait(look_around);
    }
  }

  std::shared_ptr<stream_system> streams_;
  std::string topic_;
  // The readers ring it until they are gone.
  ready_signal ready_;
  std::vector<std::unique_ptr<partition>> partitions_;
  std::size_t turn_ = 0;
};

} // namespace

raw_event copy_of(const record& x) {
  raw_event out;
  if (x.key())
    out.key = *x.key();
  if (x.value())
    out.value = *x.value();
  out.timestamp = x.timestamp();
  out.at = {x.partition(), x.offset()};
  for (auto& each : x.headers())
    out.headers.emplace_back(each.name, each.value);
  return out;
}

error undecodable(std::string_view topic, const position& at,
                  const error& why) {
  return why.within("topic '" + std::string{topic} + "', partition " +
                    std::to_string(at.partition) + ", offset " +
                    std::to_string(at.offset));
}

result<std::unique_ptr<raw_reader>> topic_io::open(std::string_view topic,
                                                   start_at where) {
  auto use = streams();
  if (!use)
    return fail(use.error());
  auto made =
      std::make_unique<topic_reader>(*use, name_of_(std::string{topic}));
  if (auto opened = made->open(where); !opened)
    return fail(opened.error());
  return std::unique_ptr<raw_reader>{std::move(made)};
}

} // namespace weir::detail
