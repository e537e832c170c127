#include "weir/client.hpp"

#include "actors/host/systems.hpp"
#include "actors/host/topic_io.hpp"

namespace weir {

result<position> topics::send(std::string_view topic,
                              const detail::raw_side& key,
                              const detail::raw_side& value,
                              const emit_options& how) {
  return io_->send(topic, key, value, how);
}

result<void> topics::post(std::string_view topic, const detail::raw_side& key,
                          const detail::raw_side& value,
                          const emit_options& how) {
  return io_->post(topic, key, value, how);
}

result<void> topics::flush(duration patience) {
  return io_->flush(patience);
}

result<std::unique_ptr<detail::raw_reader>> topics::open(std::string_view topic,
                                                         start_at where) {
  return io_->open(topic, where);
}

result<void> topics::create_topic(std::string_view topic, int partitions) {
  return io_->create(topic, partitions);
}

result<client> client::open(const settings& where) {
  auto streams = open_streams(where);
  if (!streams)
    return fail(streams.error());
  return client{std::make_shared<detail::topic_io>(
      std::move(*streams),
      [](const std::string& declared) { return declared; })};
}

} // namespace weir
