// Numbered writes to a LevelDB with small tables.
#pragma once

#include <catch2/catch.hpp>

#include <memory>
#include <string>

#include "runtime/leveldb/leveldb_backend.hpp"
#include "test/driver/file_env.hpp"
#include "test/unit/stores/changelog/changelog_support.hpp"

namespace weir::test {

/// A small write buffer: some dozen commits make tables and compactions.
inline leveldb_options small(std::shared_ptr<environment> files) {
  leveldb_options out;
  out.files = std::move(files);
  out.write_buffer_bytes = 64 << 10;
  out.table_bytes = 32 << 10;
  return out;
}

using backend_ptr = std::unique_ptr<leveldb_backend>;

inline result<void> put(backend& to, int number, bool sync = false,
                        std::size_t size = 100) {
  change_batch batch;
  batch.put(key(std::to_string(number % 500)),
            std::to_string(number) + std::string(size, 'v'));
  batch.put(key("last"), std::to_string(number));
  return to.write(batch, sync);
}

inline int last(backend& from) {
  std::string value;
  auto found = from.get(key("last"), value);
  REQUIRE(found);
  return *found ? std::stoi(value) : 0;
}

/// The state after `puts` puts of that size.
inline state_map state_after(int puts, std::size_t size = 100) {
  state_map out;
  for (int i = 1; i <= puts; ++i)
    out[key(std::to_string(i % 500))] =
        std::to_string(i) + std::string(size, 'v');
  if (puts > 0)
    out[key("last")] = std::to_string(puts);
  return out;
}

} // namespace weir::test
