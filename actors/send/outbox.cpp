#include "actors/send/outbox.hpp"

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/assert.hpp"

namespace weir {

result<void> outbox::begin(std::shared_ptr<lane_producers> producers) {
  producers_ = std::move(producers);
  holding_ = false;
  while (!held_.empty()) {
    auto next = held_.front();
    if (auto done = route(next); !done)
      return done;
    held_.pop();
  }
  return {};
}

result<void> outbox::accept() {
  if (staged_.empty())
    return {};
  emitted_ = true;
  while (!staged_.empty()) {
    auto next = staged_.front();
    if (auto done = route(next); !done)
      return done;
    staged_.pop();
  }
  return {};
}

result<void> outbox::route(queued_record& x) {
  if (!producers_ || (holding_ && !is_plain(x.to))) {
    held_.push(x);
    return {};
  }
  return send_sealed(x);
}

result<void> outbox::send_sealed(queued_record& x) {
  // Order: nothing overtakes what waits for room already.
  if (ready_.empty()) {
    auto sent = try_send(x);
    if (!sent)
      return fail(sent.error());
    if (*sent)
      return {};
  }
  ready_.push(x);
  return {};
}

result<bool> outbox::pump() {
  while (!ready_.empty()) {
    auto next = ready_.front();
    auto sent = try_send(next);
    if (!sent || !*sent)
      return sent;
    ready_.pop();
  }
  return true;
}

result<bool> outbox::try_send(queued_record& x) {
  auto sent = try_as_it_is(x);
  if (!sent && sent.error().code() == ec::too_large &&
      x.to == target::dead_letter)
    return try_shortened(x);
  return sent;
}

/// A bad record must not stop the job for being large. What is left of its
/// letter says where the record is, and how much is missing.
result<bool> outbox::try_shortened(queued_record dead_letter) {
  std::vector<header> headers{dead_letter.headers.begin(),
                              dead_letter.headers.end()};
  std::string value_bytes, key_bytes;
  if (dead_letter.value) {
    value_bytes = std::to_string(dead_letter.value->size());
    headers.push_back({"weir.value-bytes", value_bytes});
    dead_letter.value.reset();
  }
  dead_letter.headers = headers;
  auto sent = try_as_it_is(dead_letter);
  if (sent || sent.error().code() != ec::too_large)
    return sent;
  // Then it is the key, or headers that came with the record.
  if (dead_letter.key) {
    key_bytes = std::to_string(dead_letter.key->size());
    headers.push_back({"weir.key-bytes", key_bytes});
    dead_letter.key.reset();
  }
  std::erase_if(headers,
                [](auto& each) { return !each.name.starts_with("weir."); });
  dead_letter.headers = headers;
  return try_as_it_is(dead_letter);
}

bound_producer& outbox::producer_for(target to) const {
  return is_plain(to) ? *producers_->plain : producers_->transactional;
}

result<void> outbox::fits(queued_record& x) const {
  // Before the first begin nothing is processed.
  if (!producers_)
    return {};
  auto& through = producer_for(x.to);
  x.topic = through.topic(x.to);
  return through.handle->fits(x);
}

result<bool> outbox::try_as_it_is(queued_record& x) {
  WEIR_ASSERT(producers_, "sending needs a transaction that has begun");
  bool plain = is_plain(x.to);
  auto& through = producer_for(x.to);
  auto* listener = x.listener;
  if (plain) {
    if (!acks_) {
      acks_ = std::make_shared<output_acks>();
      through.keep(acks_);
    }
    listener = acks_.get();
  }
  x.topic = through.topic(x.to);
  auto sent = through.handle->send(x, listener);
  if (sent) {
    if (plain) {
      acks_->sent();
      lingers_ = true;
    }
    return true;
  }
  if (sent.error().code() == ec::queue_full)
    return false;
  return fail(sent.error());
}

void outbox::close_outputs(output_acks::callback done) {
  hasten();
  auto closing = std::exchange(acks_, nullptr);
  if (closing)
    closing->close(std::move(done));
  else
    done({});
}

} // namespace weir
