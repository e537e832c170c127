// A short history to restore from, and a backend that is watched.
#pragma once

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "test/driver/memory_backend.hpp"
#include "test/unit/stores/changelog/changelog_support.hpp"

namespace weir::test {

/// Looks at every batch on its way, and can die before one.
class watched_backend final : public backend {
public:
  result<bool> get(std::string_view k, std::string& value) override {
    return base.get(k, value);
  }
  result<void> write(const change_batch& x, bool sync) override {
    if (dies_before && ++writes == *dies_before)
      return fail(ec::io_error, "died");
    largest = std::max(largest, x.bytes());
    x.for_each([&](auto k, auto) { written.emplace(k); });
    ++batches;
    return base.write(x, sync);
  }
  result<void>
  scan(std::string_view from, std::string_view to,
       const std::function<bool(std::string_view, std::string_view)>& visit)
      override {
    return base.scan(from, to, visit);
  }

  memory_backend base;
  std::optional<int> dies_before;
  int writes = 0;
  int batches = 0;
  std::size_t largest = 0;
  std::set<std::string> written;
};

/// The entries of the database that are neither state nor wanted for good.
inline std::size_t leftovers(backend& store) {
  std::size_t count = 0;
  REQUIRE(store.scan(metadata_key::restoring, "\x01",
                     [&](std::string_view k, std::string_view) {
                       count += k.starts_with(metadata_key::restoring) ||
                                k.starts_with(metadata_key::staged);
                       return true;
                     }));
  return count;
}

/// Three commits; key a is written in all of them.
struct small_history {
  changelog log;
  test::owner owner{log};

  small_history() {
    owner.commit({{key("a"), "1"}, {key("b"), "1"}});
    owner.commit({{key("a"), "2"}, {key("c"), "2"}});
    owner.commit({{key("a"), "3"}, {key("b"), std::nullopt}});
  }

  const test::owner::past_commit& past(std::size_t i) const {
    return owner.history.at(i);
  }
};

/// A store at the first commit of `x`.
inline void restore_first(memory_backend& store, const small_history& x) {
  auto part = x.log;
  part.end = x.past(0).position;
  std::erase_if(part.records, [&](auto& r) { return r.offset >= part.end; });
  REQUIRE(restore(store, part));
  REQUIRE(contents(store) == x.past(0).state);
}

inline void refuses(const result<restore_summary>& x, ec code,
                    const std::string& word) {
  REQUIRE_FALSE(x);
  CHECK(x.error().code() == code);
  INFO(x.error().text());
  CHECK(x.error().text().find(word) != std::string::npos);
}

} // namespace weir::test
