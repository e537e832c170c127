#include "stores/kv/task_state.hpp"

#include <utility>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/bytes/checksum.hpp"
#include "stores/changelog/raw_key.hpp"
#include "stores/kv/store_error.hpp"

namespace weir {

result<std::uint64_t> compute_digest(backend& database) {
  std::uint64_t sum = 0;
  auto done = database.scan(state_begin(), state_end(),
                            [&](std::string_view key, std::string_view value) {
                              sum += entry_hash(key, value);
                              return true;
                            });
  if (!done)
    return fail(done.error().within("reading the whole state"));
  return sum;
}

task_state::task_state(backend& database, task_state_options options,
                       std::uint64_t digest)
    : context_(database, options.cache_bytes), digest_(digest) {}

task_state::~task_state() = default;

detail::store_core& task_state::open(int number, const std::string& name,
                                     const detail::store_spec& spec) {
  if (number < first_store_number || number > last_store_number)
    throw store_error{ec::bad_argument,
                      fmt::format("store '{}': number {} is not in {} to {}",
                                  name, number, first_store_number,
                                  last_store_number)};
  auto& store = stores_[number];
  if (!store)
    store =
        std::make_unique<detail::store_core>(context_, number, name, spec);
  if (store->name() != name)
    throw store_error{
        ec::bad_argument,
        fmt::format("store number {} belongs to '{}': give '{}' another one",
                    number, store->name(), name)};
  if (store->spec().ops != spec.ops || store->spec().key != spec.key)
    throw store_error{ec::bad_argument,
                      fmt::format("store '{}' (number {}) was opened before "
                                  "with another key or value type",
                                  name, number)};
  return *store;
}

// -- one record

void task_state::begin_record() noexcept {
  WEIR_ASSERT(!context_.recording, "one record at a time");
  context_.recording = true;
  ++context_.record;
}

void task_state::accept_record() noexcept {
  WEIR_ASSERT(context_.recording, "no record was begun");
  context_.recording = false;
  for (auto* store : context_.touched)
    store->accept();
  context_.touched.clear();
}

void task_state::visit_record(const seal_sink& visit) const {
  for (auto* each : context_.touched)
    each->visit_record(visit);
}

void task_state::undo_record() {
  WEIR_ASSERT(context_.recording, "no record was begun");
  context_.recording = false;
  for (auto* store : context_.touched)
    store->undo();
  context_.touched.clear();
  context_.make_room(0);
}

// -- commit

result<seal_summary> task_state::seal(const seal_sink& sink) {
  WEIR_ASSERT(!failed_, "after a failure only drop is allowed");
  WEIR_ASSERT(!sealed_, "at most one frozen overlay");
  WEIR_ASSERT(!context_.recording, "a seal comes between two records");
  record_checksum checksum;
  sealed_digest_ = digest_;
  sealed_ = true;
  // Until the end is reached: a serde may throw.
  failed_ = true;
  try {
    seal_work work{sink, frozen_, checksum, sealed_digest_};
    for (auto& [number, store] : stores_)
      if (auto done = store->seal(work); !done)
        return fail(done.error().within("seal"));
  } catch (const store_error& what) {
    return fail(what.reason().within("seal"));
  }
  failed_ = false;
  context_.make_room(0);
  return seal_summary{checksum.count(), checksum.value(), sealed_digest_};
}

result<void> task_state::apply(const change_batch& metadata, bool sync) {
  WEIR_ASSERT(!failed_, "after a failure only drop is allowed");
  WEIR_ASSERT(sealed_, "only what was sealed can be applied");
  metadata.for_each(
      [&](std::string_view key, std::optional<std::string_view> value) {
        WEIR_ASSERT(!is_store_key(key), "metadata has reserved keys");
        if (value)
          frozen_.put(key, *value);
        else
          frozen_.erase(key);
      });
  if (auto done = context_.database.write(frozen_, sync); !done) {
    failed_ = true;
    return fail(done.error().within("apply"));
  }
  frozen_.clear();
  sealed_ = false;
  digest_ = sealed_digest_;
  for (auto& [number, store] : stores_)
    store->applied();
  context_.make_room(0);
  return {};
}

void task_state::release_spare() {
  context_.evict_all();
  for (auto& [number, store] : stores_)
    store->release_spare();
  if (!sealed_)
    frozen_ = {};
}

void task_state::drop() {
  context_.recording = false;
  context_.touched.clear();
  for (auto& [number, store] : stores_) {
    store->accept();
    store->drop();
  }
  WEIR_ASSERT(context_.overlay_bytes == 0, "a dropped overlay has no bytes");
  frozen_.clear();
  sealed_ = false;
  failed_ = false;
}

// -- figures

std::size_t task_state::changed() const noexcept {
  std::size_t sum = 0;
  for (auto& [number, store] : stores_)
    sum += store->changed();
  return sum;
}

result<void> task_state::verify_digest() {
  auto found = compute_digest(context_.database);
  if (!found)
    return fail(found.error());
  if (*found != digest_)
    return fail(ec::corruption,
                fmt::format("the state's digest is {:016x} where its commits "
                            "say {:016x}: the database lost or changed "
                            "entries; restore it from the changelog",
                            *found, digest_));
  return {};
}

} // namespace weir
