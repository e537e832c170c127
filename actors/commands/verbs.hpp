// The commands of an application's binary, and sets of them.
#pragma once

#include <initializer_list>

namespace weir {

enum class verb {
  run,
  generate,
  produce,
  consume,
  get,
  dump,
  topology,
  resume,
  reset,
  adopt,
};

/// Which commands an option is for.
class verb_set {
public:
  constexpr verb_set(std::initializer_list<verb> of) {
    for (auto each : of)
      bits_ |= bit(each);
  }
  constexpr bool has(verb x) const noexcept { return (bits_ & bit(x)) != 0; }

private:
  static constexpr unsigned bit(verb x) noexcept {
    return 1u << static_cast<unsigned>(x);
  }
  unsigned bits_ = 0;
};

} // namespace weir
