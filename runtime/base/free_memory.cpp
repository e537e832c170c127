#include "runtime/base/free_memory.hpp"

#ifdef WEIR_JEMALLOC
#include <jemalloc/jemalloc.h>
#elif defined(__GLIBC__)
#include <malloc.h>
#endif

#ifdef WEIR_JEMALLOC
/// jemalloc reads its settings here, before `main`; MALLOC_CONF goes before
/// them. Pages that are free stay for three seconds instead of ten. The Kafka
/// client's answers come and go by megabytes several times a second; where free
/// pages stayed for one second, taking them from the system again was 6.6 % of
/// the stock job's time, and is 1.9 %.
extern "C" const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:3000,muzzy_decay_ms:0";
#endif

namespace weir {

void release_free_memory() noexcept {
#ifdef WEIR_JEMALLOC
  // 4096: all arenas.
  static_assert(MALLCTL_ARENAS_ALL == 4096);
  mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);
#elif defined(__GLIBC__)
  malloc_trim(0);
#endif
}

} // namespace weir
