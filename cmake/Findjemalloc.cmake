# jemalloc::jemalloc: Debian ships no CMake config for it.
find_path(jemalloc_INCLUDE_DIR jemalloc/jemalloc.h)
find_library(jemalloc_LIBRARY jemalloc)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(jemalloc
  REQUIRED_VARS jemalloc_LIBRARY jemalloc_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libjemalloc-dev, or set WEIR_JEMALLOC=OFF")
if(jemalloc_FOUND AND NOT TARGET jemalloc::jemalloc)
  add_library(jemalloc::jemalloc UNKNOWN IMPORTED)
  set_target_properties(jemalloc::jemalloc PROPERTIES
    IMPORTED_LOCATION "${jemalloc_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${jemalloc_INCLUDE_DIR}")
endif()
mark_as_advanced(jemalloc_INCLUDE_DIR jemalloc_LIBRARY)
