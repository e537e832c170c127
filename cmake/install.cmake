# Installs library, headers and what finds them: a package for
# `find_package(weir CONFIG)` and weir.pc for pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(weir_package "${CMAKE_INSTALL_LIBDIR}/cmake/weir")
install(TARGETS weir weir_testing EXPORT weir-targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
set_target_properties(weir_testing PROPERTIES EXPORT_NAME testing)
install(EXPORT weir-targets NAMESPACE weir:: DESTINATION "${weir_package}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/weir"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

# Packages of what a program has to link: CAF, whose headers weir's include, and
# the rest where weir is static.
set(weir_needs CAF)
if(NOT WEIR_SHARED)
  list(APPEND weir_needs ${weir_libraries})
  list(TRANSFORM weir_needs REPLACE "::.*" "")
endif()
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
  DESTINATION "${weir_package}")
foreach(each ${weir_needs})
  if(EXISTS "${PROJECT_SOURCE_DIR}/cmake/Find${each}.cmake")
    install(FILES "${PROJECT_SOURCE_DIR}/cmake/Find${each}.cmake"
      DESTINATION "${weir_package}")
  endif()
endforeach()

# A static weir is of no use without its libraries: they stand under Libs, so
# that one command line does for both forms, with `--static` and without.
set(weir_pc_libraries -lweir)
if(NOT WEIR_SHARED)
  list(APPEND weir_pc_libraries ${weir_libraries})
  list(TRANSFORM weir_pc_libraries REPLACE "^Threads::Threads$" "-pthread")
  list(TRANSFORM weir_pc_libraries REPLACE "^.*::" "-l")
endif()
list(JOIN weir_pc_libraries " " weir_pc_libraries)
set(weir_pc "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH weir_pc_prefix "/${weir_pc}" "/")
foreach(each weir weir-testing)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${each}.pc.in"
    "${PROJECT_BINARY_DIR}/${each}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${each}.pc" DESTINATION "${weir_pc}")
endforeach()
