#include <catch2/catch.hpp>

#include "actors/base/back_off.hpp"

using namespace weir;
using namespace std::chrono_literals;

TEST_CASE("the pause before a bring-up counts from when the task began to wait",
          "[back_off]") {
  bring_up_pause pause;
  pause.set(10s);
  CHECK(pause.left(1'000) == 10s);
  // A life of its lane ended meanwhile.
  CHECK(pause.left(7'000) == 4s);
  CHECK(pause.left(11'000) == 0s);
  CHECK(pause.left(60'000) == 0s);
  // It was brought up, and has to wait again.
  pause.over();
  CHECK(pause.left(60'000) == 10s);
  pause.set(1s);
  CHECK(pause.left(65'000) == 1s);
}

TEST_CASE("the pause grows from 0.2 s to 5 s", "[back_off]") {
  bring_up_pause pause;
  CHECK(pause.left(0) == 200ms);
  pause.longer();
  CHECK(pause.left(100'000) == 400ms);
  for (int i = 0; i < 10; ++i)
    pause.longer();
  CHECK(pause.left(200'000) == 5s);
  // As it was meant: longer than that.
  pause.set(30s);
  CHECK(pause.left(300'000) == 30s);
  bring_up_pause first;
  first.longer();
  CHECK(first.left(0) == 200ms);
}
