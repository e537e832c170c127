# Installs libraries, headers and a package, so that
# `find_package(weir CONFIG)` gives weir::weir.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(weir_package "${CMAKE_INSTALL_LIBDIR}/cmake/weir")
install(TARGETS weir_runtime weir_stores weir weir_driver weir_testing
  EXPORT weir-targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
set_target_properties(weir_runtime PROPERTIES EXPORT_NAME runtime)
set_target_properties(weir_stores PROPERTIES EXPORT_NAME stores)
set_target_properties(weir_driver PROPERTIES EXPORT_NAME memory)
set_target_properties(weir_testing PROPERTIES EXPORT_NAME testing)
install(EXPORT weir-targets NAMESPACE weir:: DESTINATION "${weir_package}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/weir"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/weir-config.cmake.in"
  "${PROJECT_BINARY_DIR}/weir-config.cmake"
  INSTALL_DESTINATION "${weir_package}")
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/weir-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/weir-config.cmake"
  "${PROJECT_BINARY_DIR}/weir-config-version.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindRdKafka.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindZooKeeper.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindxxHash.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/Findjemalloc.cmake"
  DESTINATION "${weir_package}")
