#include "runtime/embedded/log/producer_epochs.hpp"

#include "runtime/embedded/log/log_format.hpp"

namespace weir {

using namespace log_format;

result<producer_identity>
producer_epochs::initialise(embedded_database& database, const std::string& id,
                            std::int64_t now) {
  auto key = epoch_key(id);
  std::string bytes;
  auto present = database.get(key, bytes);
  if (!present)
    return fail(present.error());
  producer_epoch next{1, now};
  if (*present) {
    auto before = decode_producer_epoch(bytes);
    if (!before)
      return fail(embedded_damage("the stored epoch of transactional id '" +
                                  id + "' is broken"));
    next.epoch = before->epoch + 1;
  }
  embedded_batch batch;
  batch.put(key, encode(next));
  auto written = database.write(batch);
  if (!written)
    return fail(written.error());
  std::erase_if(latest_, [](auto& x) { return x.second.expired(); });
  auto& known = latest_[id];
  auto latest = known.lock();
  if (!latest)
    known = latest = std::make_shared<std::atomic<std::uint64_t>>();
  latest->store(next.epoch, std::memory_order_release);
  return producer_identity{id, next.epoch, latest};
}

result<void> producer_epochs::forget_old(embedded_database& database,
                                         std::int64_t now) {
  embedded_batch old;
  auto scanned = database.scan_prefix(
      epoch_prefix(), [&](std::string_view key, std::string_view bytes) {
        auto x = decode_producer_epoch(bytes);
        if (x && x->initialised < now - kept_ms)
          old.erase(key);
        return true;
      });
  return scanned ? database.write(old) : scanned;
}

} // namespace weir
