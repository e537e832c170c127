// JSON that somebody has spoiled.
#pragma once

#include <random>
#include <string>
#include <string_view>

namespace weir::test {

/// Replaces, inserts or removes a few characters somewhere.
inline std::string damaged(std::string text, std::uint64_t changes,
                           std::mt19937_64& random) {
  constexpr std::string_view pieces = R"({}[],:"\0123456789eE+-.tfn ux/)";
  for (; changes > 0; --changes) {
    auto at = random() % text.size();
    switch (random() % 3) {
    case 0:
      text[at] = pieces[random() % pieces.size()];
      break;
    case 1:
      text.insert(at, 1, pieces[random() % pieces.size()]);
      break;
    default:
      text.erase(at, 1 + random() % 3);
    }
  }
  return text;
}

} // namespace weir::test
