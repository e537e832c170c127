#include "test/conformance/stream_tools.hpp"

#include <random>

namespace weir::test {

std::string stream_fixture::unique(const std::string& stem) {
  static const auto run = std::to_string(std::random_device{}());
  static int count = 0;
  return stem + "-" + run + "-" + std::to_string(++count);
}

// -- signal_counter

void signal_counter::raise() {
  {
    std::lock_guard lock{mutex_};
    ++count_;
  }
  changed_.notify_all();
}

int signal_counter::count() const {
  std::lock_guard lock{mutex_};
  return count_;
}

bool signal_counter::await_more_than(int seen) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, patience, [&] { return count_ > seen; });
}

// -- test_reader

std::vector<std::string> values(const std::vector<seen_record>& records) {
  std::vector<std::string> out;
  for (auto& x : records)
    out.push_back(x.value.value_or("(none)"));
  return out;
}

namespace {

seen_record copy(const record& x) {
  seen_record out{
      x.offset(), x.timestamp().time_since_epoch().count(), {}, {}, {}};
  if (x.key())
    out.key = std::string{*x.key()};
  if (x.value())
    out.value = std::string{*x.value()};
  for (auto& h : x.headers())
    out.headers.emplace_back(h.name, h.value);
  return out;
}

} // namespace

test_reader::test_reader(stream_system& streams, const std::string& topic,
                         std::int32_t partition, std::int64_t start,
                         isolation level)
    : ready_(std::make_shared<signal_counter>()) {
  reader_options options;
  options.topic = topic;
  options.partition = partition;
  options.start = start;
  options.level = level;
  options.on_ready = [ready = ready_] { ready->raise(); };
  reader_ = must(streams.open_reader(std::move(options)));
}

test_reader::~test_reader() = default;

template <class Done>
void test_reader::poll_until(std::vector<seen_record>& out, std::size_t most,
                             Done done) {
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    auto calls = ready_->count();
    must(reader_->poll(batch_, most - out.size()));
    for (auto& x : batch_.records())
      out.push_back(copy(x));
    if (!batch_.empty() || done())
      continue;
    if (!ready_->await_more_than(calls) ||
        std::chrono::steady_clock::now() > deadline)
      FAIL("no callback, or no record, after "
           << out.size() << " records at position " << reader_->position());
  }
}

std::vector<seen_record> test_reader::read(std::size_t count) {
  std::vector<seen_record> out;
  poll_until(out, count, [&] { return out.size() == count; });
  return out;
}

std::vector<seen_record> test_reader::read_to_end() {
  std::vector<seen_record> out;
  bool polled = false;
  poll_until(out, 1'000'000, [&] {
    // What an earlier poll saw of the end says nothing about now.
    return std::exchange(polled, true) && reader_->at_end();
  });
  return out;
}

ec test_reader::await_error() {
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    auto calls = ready_->count();
    auto polled = reader_->poll(batch_, 100);
    if (!polled)
      return polled.error().code();
    if (batch_.empty() && !ready_->await_more_than(calls))
      break;
  }
  FAIL("no error came");
  return {};
}

// -- delivery_ledger

struct delivery_ledger::line final : delivery_listener {
  explicit line(delivery_ledger& x) : ledger(x) {}

  void delivered(std::int64_t offset) noexcept override {
    std::lock_guard lock{ledger.mutex_};
    what.offset = offset;
    note();
  }

  void failed(const error& why) noexcept override {
    std::lock_guard lock{ledger.mutex_};
    what.failure = why;
    note();
  }

  void note() {
    if (++what.calls == 1)
      ++ledger.called_;
    ledger.changed_.notify_all();
  }

  delivery_ledger& ledger;
  entry what;
};

delivery_ledger::delivery_ledger() = default;
delivery_ledger::~delivery_ledger() = default;

delivery_listener* delivery_ledger::next() {
  std::lock_guard lock{mutex_};
  lines_.push_back(std::make_unique<line>(*this));
  return lines_.back().get();
}

bool delivery_ledger::await_all() {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, patience,
                           [&] { return called_ == lines_.size(); });
}

std::vector<delivery_ledger::entry> delivery_ledger::entries() const {
  std::lock_guard lock{mutex_};
  std::vector<entry> out;
  for (auto& x : lines_)
    out.push_back(x->what);
  return out;
}

std::vector<std::int64_t> delivery_ledger::offsets() const {
  std::vector<std::int64_t> out;
  for (auto& x : entries())
    out.push_back(x.offset);
  return out;
}

// -- shortcuts

std::string make_topic(stream_fixture& fixture, int partitions,
                       std::map<std::string, std::string> config) {
  auto name = fixture.unique("topic");
  topic_settings settings;
  settings.partitions = partitions;
  settings.config = std::move(config);
  must(fixture.streams().create_topic(name, settings));
  return name;
}

std::unique_ptr<producer> open_plain(stream_system& streams,
                                     std::chrono::milliseconds linger) {
  producer_options options;
  options.linger = linger;
  return must(streams.open_producer(options));
}

std::unique_ptr<producer> open_transactional(stream_system& streams,
                                             const std::string& id) {
  producer_options options;
  options.transactional_id = id;
  return must(streams.open_producer(options));
}

void send(producer& to, topic_ref topic, std::int32_t partition,
          const std::string& key, const std::string& value,
          delivery_listener* listener) {
  outgoing x;
  x.topic = topic;
  x.partition = partition;
  x.key = key;
  x.value = value;
  auto sent = to.send(x, listener);
  while (!sent && sent.error().code() == ec::queue_full) {
    must(to.flush(patience));
    sent = to.send(x, listener);
  }
  must(std::move(sent));
}

std::vector<std::int64_t>
commit_values(stream_fixture& fixture, const std::string& topic,
              const std::vector<std::string>& values) {
  delivery_ledger ledger;
  auto p = open_transactional(fixture.streams(), fixture.unique("id"));
  auto ref = must(p->open_topic(topic));
  must(p->begin());
  for (auto& x : values)
    send(*p, ref, 0, "k" + x, x, ledger.next());
  must(p->commit());
  return ledger.offsets();
}

watermarks limits(stream_system& streams, const std::string& topic,
                  std::int32_t partition, isolation level) {
  return must(streams.query_watermarks(topic, partition, level));
}

} // namespace weir::test
