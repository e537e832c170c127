// Assertions that are always on. A broken invariant ends the process: recovery
// is the restore path, never a catch block.
#pragma once

namespace weir::detail {

[[noreturn]] void assert_failed(const char* condition, const char* file,
                                int line, const char* why) noexcept;

} // namespace weir::detail

/// `WEIR_ASSERT(frozen == 0, "at most one frozen overlay (L5)");`
#define WEIR_ASSERT(condition, why)                                            \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      ::weir::detail::assert_failed(#condition, __FILE__, __LINE__, why);      \
  } while (false)
