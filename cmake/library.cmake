# weir as users link it: runtime, stores, actors and the test driver as one
# library. The libraries of those parts stay in the build: they are for what
# looks behind the public interface, the tests and the bundled applications.
include(GNUInstallDirs)

if(WEIR_SHARED)
  add_library(weir SHARED)
else()
  add_library(weir STATIC)
endif()
add_library(weir::weir ALIAS weir)
foreach(part runtime stores actors memory driver)
  target_sources(weir PRIVATE "$<TARGET_OBJECTS:weir_${part}>")
endforeach()
# Until 1.0 a minor version may change the interface.
set_target_properties(weir PROPERTIES
  LINKER_LANGUAGE CXX
  VERSION "${PROJECT_VERSION}"
  SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
target_include_directories(weir PUBLIC
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_compile_features(weir PUBLIC cxx_std_20)

# What weir needs when it is linked: libweir.so brings it, with libweir.a the
# program needs it too. Libraries that are only headers are not among them.
set(weir_libraries
  RdKafka::rdkafka ZooKeeper::zookeeper_mt leveldb::leveldb fmt::fmt
  spdlog::spdlog simdjson::simdjson xxHash::xxhash tomlplusplus::tomlplusplus
  Threads::Threads)
if(WEIR_JEMALLOC)
  list(APPEND weir_libraries jemalloc::jemalloc)
endif()
target_link_libraries(weir
  PUBLIC CAF::core
  PRIVATE ${weir_libraries} "$<BUILD_INTERFACE:weir_flags>")
if(WEIR_SHARED)
  set(weir_map "${PROJECT_SOURCE_DIR}/cmake/libweir.map")
  target_link_options(weir PRIVATE
    LINKER:--no-undefined "LINKER:--version-script=${weir_map}")
  set_target_properties(weir PROPERTIES LINK_DEPENDS "${weir_map}")
endif()

# The driver uses what a shared library hides, and shares its state: it is in
# the library itself. Of libweir.a a program gets it only if it uses it.
add_library(weir_testing INTERFACE)
add_library(weir::testing ALIAS weir_testing)
target_link_libraries(weir_testing INTERFACE weir)
