// The fencer's book: who shares an attempt, what is remembered.
#include <catch2/catch.hpp>

#include "actors/base/fence_book.hpp"

using namespace weir;
using verdict = fence_book::verdict;

namespace {

fence_book::waiter nobody(cancel_token token = {}) {
  return {std::move(token), [](result<void>) {}};
}

} // namespace

TEST_CASE("H33: fifty tasks of a killed lane share one attempt") {
  fence_book book;
  CHECK(book.ask("id", nobody()) == verdict::begin);
  for (int i = 0; i < 49; ++i)
    CHECK(book.ask("id", nobody()) == verdict::joined);
  CHECK(book.fenced("id").size() == 50);
  CHECK(book.ask("id", nobody()) == verdict::known);
  CHECK(book.asked() == 0);
}

TEST_CASE("H33: a failed attempt is told to all, and one tries again, later") {
  fence_book book;
  CHECK(book.ask("id", nobody()) == verdict::begin);
  std::chrono::milliseconds pause{0};
  std::chrono::milliseconds before{0};
  for (std::size_t waiting = 1; waiting <= 4; ++waiting) {
    CHECK(book.failed("id", pause).size() == waiting);
    CHECK(pause > before);
    before = pause;
    CHECK(book.ask("id", nobody()) == verdict::joined);
    CHECK(book.try_again("id"));
  }
  for (int i = 0; i < 40; ++i)
    static_cast<void>(book.failed("id", pause));
  CHECK(pause == std::chrono::milliseconds{5'000});
  CHECK(book.fenced("id").size() == 5);
}

TEST_CASE("H33: nobody waits any more: no further attempt, no memory of it") {
  fence_book book;
  auto token = cancel_token::below();
  CHECK(book.ask("id", nobody(token)) == verdict::begin);
  token.cancel();
  std::chrono::milliseconds pause{0};
  CHECK(book.failed("id", pause).empty());
  CHECK_FALSE(book.try_again("id"));
  CHECK(book.asked() == 0);
  CHECK(book.ask("id", nobody()) == verdict::begin);
}

TEST_CASE("H33: memory after ten thousand lives is bounded") {
  fence_book book;
  for (int i = 0; i < 10'000; ++i) {
    auto id = "id " + std::to_string(i);
    auto token = cancel_token::below();
    CHECK(book.ask(id, nobody(token)) == verdict::begin);
    static_cast<void>(book.ask(id, nobody(token)));
    static_cast<void>(book.fenced(id));
  }
  CHECK(book.remembered() == fence_book::memory);
  CHECK(book.asked() == 0);
  CHECK(book.is_fenced("id 9999"));
  CHECK_FALSE(book.is_fenced("id 0"));
}
