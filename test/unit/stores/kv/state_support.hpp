// A task's state over memory, for tests of the stores.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "weir/store.hpp"
#include "stores/kv/task_state.hpp"
#include "test/driver/memory_backend.hpp"

namespace weir {

using sealed_record = std::pair<std::string, std::optional<std::string>>;

/// A task's state over memory, with one store of strings.
struct state_fixture {
  explicit state_fixture(std::size_t cache_bytes = 1u << 20)
      : state(database, {cache_bytes}) {}

  std::vector<sealed_record> seal() {
    std::vector<sealed_record> out;
    auto done = state.seal([&](auto key, auto value) {
      out.emplace_back(key, value ? std::optional<std::string>{*value}
                                  : std::nullopt);
    });
    REQUIRE(done);
    CHECK(done->records == out.size());
    return out;
  }
  std::vector<sealed_record> commit() {
    auto out = seal();
    REQUIRE(state.apply({}));
    REQUIRE(state.verify_digest());
    return out;
  }

  memory_backend database;
  task_state state;
  kv_store<std::string, std::string> names{
      state.open<std::string, std::string>(1, "names")};
};

} // namespace weir
