#include "runtime/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace weir::detail {

void assert_failed(const char* condition, const char* file, int line,
                   const char* why) noexcept {
  std::fprintf(stderr, "weir: %s:%d: assertion failed: %s (%s)\n", file, line,
               condition, why);
  std::abort();
}

} // namespace weir::detail
