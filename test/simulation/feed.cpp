#include "test/simulation/feed.hpp"

namespace weir::sim {

namespace {

constexpr int records_of_the_start = 20;
constexpr std::chrono::nanoseconds longest_pause = std::chrono::milliseconds{6};

} // namespace

result<void> feed::start(bool first_life) {
  auto opened = streams_.open_producer({});
  if (!opened)
    return fail(opened.error());
  producer_ = std::move(*opened);
  for (auto& [where, records] : on_.work.input)
    if (auto done = open(where, records.size()); !done)
      return done;
  if (first_life)
    return send(records_of_the_start);
  was_complete_ = is_over();
  return {};
}

result<void> feed::open(const topic_partition& where, std::size_t records) {
  auto& [topic, partition] = where;
  auto found = streams_.describe_topic(topic);
  if (!found)
    return fail(found.error());
  if (!*found)
    if (auto made = streams_.create_topic(topic, {on_.work.partitions, 0, {}});
        !made)
      return made;
  auto opened = producer_->open_topic(topic);
  auto limits =
      streams_.query_watermarks(topic, partition, isolation::read_committed);
  if (!opened || !limits)
    return fail(!opened ? opened.error() : limits.error());
  if (static_cast<std::size_t>(limits->high) < records)
    sources_.push_back(
        {where, *opened, static_cast<std::size_t>(limits->high)});
  return {};
}

result<void> feed::send(int records) {
  for (int i = 0; i < records && !is_over(); ++i) {
    auto index = on_.schedule.below(sources_.size());
    auto& source = sources_[index];
    auto& all = on_.work.input.at(source.where);
    auto& next = all[source.next];
    outgoing x;
    x.topic = source.topic;
    x.partition = source.where.second;
    x.key = next.key;
    x.value = next.value;
    if (auto sent = producer_->send(x); !sent)
      return sent;
    if (auto written = producer_->flush(std::chrono::seconds{1}); !written)
      return written;
    if (++source.next == all.size())
      sources_.erase(sources_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  next_ = on_.time.now + on_.schedule.up_to(longest_pause);
  return {};
}

} // namespace weir::sim
