# SPDX-License-Identifier: Apache-2.0
# Install rules and the package that find_package(rastertide) finds.
include(CMakePackageConfigHelpers)

set(rastertide_libraries rastertide_core rastertide_raster rastertide_dist rastertide_pipeline)
install(TARGETS ${rastertide_libraries} EXPORT rastertideTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS rastertide_lof_cli rastertide_kmeans_cli rastertide_info_cli rastertide_simulate_cli DESTINATION ${CMAKE_INSTALL_BINDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/rastertide)
install(EXPORT rastertideTargets NAMESPACE rastertide:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/rastertideConfig.cmake.in ${PROJECT_BINARY_DIR}/rastertideConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rastertideConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rastertideConfig.cmake ${PROJECT_BINARY_DIR}/rastertideConfigVersion.cmake
        DESTINATION ${package_dir})
