// What `weir::testing::driver` does by its engine; feeding and reading.
#include <fmt/format.h>

#include "runtime/stream/partitioner.hpp"
#include "test/driver/driver_core.hpp"

namespace weir::testing {

namespace detail {

namespace {

class offset_of final : public delivery_listener {
public:
  void delivered(std::int64_t offset) noexcept override { offset_ = offset; }
  void failed(const error& why) noexcept override { problem_ = why; }
  std::int64_t get() const {
    if (problem_)
      throw driver_error{to_string(*problem_)};
    return offset_;
  }

private:
  std::int64_t offset_ = -1;
  std::optional<error> problem_;
};

} // namespace

position driver_core::produce(std::string_view topic,
                              const weir::detail::raw_side& key,
                              const weir::detail::raw_side& value,
                              const emit_options& how) {
  if (job_.find(role::input, topic) == nullptr)
    throw driver_error{
        fmt::format("job '{}' has no input '{}'", job_.name(), topic)};
  outgoing x;
  x.topic = must(feed_->open_topic(job_.topic(std::string{topic})));
  if (key.there)
    x.key = key.bytes;
  if (value.there)
    x.value = value.bytes;
  x.headers = how.headers;
  x.timestamp =
      how.timestamp ? how.timestamp->time_since_epoch().count() : now_ms();
  if (how.partition)
    x.partition = *how.partition;
  else if (x.key)
    x.partition = partition_of(*x.key, how_.partitions);
  else
    x.partition = next_partition_++ % how_.partitions;
  offset_of where;
  must(feed_->send(x, &where));
  must(feed_->flush(std::chrono::seconds{1}));
  return {x.partition, where.get()};
}

std::vector<weir::detail::raw_event> driver_core::read(std::string_view topic) {
  auto actual = job_.topic(std::string{topic});
  if (!must(streams_->describe_topic(actual)))
    throw driver_error{
        fmt::format("job '{}' has no topic '{}'", job_.name(), topic)};
  std::vector<weir::detail::raw_event> out;
  record_batch batch;
  for (int p = 0; p < how_.partitions; ++p) {
    reader_options options;
    options.topic = actual;
    options.partition = p;
    options.start =
        must(streams_->query_watermarks(actual, p, isolation::read_committed))
            .low;
    auto reader = must(streams_->open_reader(options));
    do {
      must(reader->poll(batch, 1'000));
      for (auto& x : batch.records())
        out.push_back(weir::detail::copy_of(x));
    } while (!batch.empty());
  }
  return out;
}

} // namespace detail

driver::driver(job of, task_factory task, driver_options how)
    : core_(std::make_unique<detail::driver_core>(
          std::move(of), std::move(task), std::move(how))) {}

driver::~driver() = default;

void driver::run() {
  core_->run();
}

void driver::process() {
  core_->process();
}

void driver::commit() {
  core_->commit();
}

void driver::advance(std::chrono::milliseconds time) {
  core_->advance(time);
}

void driver::crash() {
  core_->crash(false);
}

void driver::lose_disk() {
  core_->crash(true);
}

std::span<const bad_record> driver::bad() const {
  return core_->bad();
}

time_point driver::now() const {
  return time_point{duration{core_->now_ms()}};
}

std::uint64_t driver::steps() const {
  return core_->steps();
}

std::vector<weir::detail::raw_event> driver::events(std::string_view topic) {
  return core_->read(topic);
}

void driver::visit(const part& store, const detail::store_visit& each) {
  core_->visit(store, each);
}

position driver::send(std::string_view topic, const weir::detail::raw_side& key,
                      const weir::detail::raw_side& value,
                      const emit_options& how) {
  return core_->produce(topic, key, value, how);
}

void driver::put(int partition, const detail::question& ask) {
  core_->put(partition, ask);
}

} // namespace weir::testing
