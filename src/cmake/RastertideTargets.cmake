# SPDX-License-Identifier: Apache-2.0
# The two helpers of the build: one for libraries, one for tests.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

# Warnings are for our own code: never part of what a consumer links.
add_library(rastertide_warnings INTERFACE)
target_compile_options(rastertide_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-qual
                                                     -Woverloaded-virtual -Wimplicit-fallthrough)
# GCC 12 sees overlapping copies in std::string where there are none (GCC bug 105651).
target_compile_options(rastertide_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

# rastertide_add_library(NAME core SOURCES a.cpp PUBLIC_HEADERS core/a.hpp [PUBLIC libs] [PRIVATE libs])
# makes rastertide_core, alias rastertide::core, with its headers as a file set that is checked and installed.
function(rastertide_add_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;PUBLIC_HEADERS;PUBLIC;PRIVATE" ${ARGN})
  set(target rastertide_${ARG_NAME})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(rastertide::${ARG_NAME} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${ARG_NAME} VERIFY_INTERFACE_HEADER_SETS ON)
  list(TRANSFORM ARG_PUBLIC_HEADERS PREPEND "${PROJECT_SOURCE_DIR}/include/rastertide/")
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include"
                                  FILES ${ARG_PUBLIC_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  # A multiply-add only where the code says so: else compilers, levels and machines would differ in the last bit.
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} $<BUILD_INTERFACE:rastertide_warnings>)
endfunction()

# rastertide_add_test(NAME test_lof SOURCES f.cpp LIBS rastertide::core LABELS unit [RANKS 1 2 3] [SHARDS n] [TIMEOUT s])
# A test with RANKS brings its own main and is run once per number of ranks under mpirun. A long test is cut into SHARDS,
# test_lof.1, test_lof.2, ..., which ctest starts first: else it would go on alone when all others are done.
function(rastertide_add_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT;SHARDS" "SOURCES;LIBS;LABELS;RANKS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(${ARG_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${ARG_NAME} PRIVATE RASTERTIDE_TESTS_DIR="${PROJECT_SOURCE_DIR}/tests"
                                                 RASTERTIDE_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  if(ARG_RANKS)
    target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBS} GTest::gtest rastertide_warnings)
    foreach(n IN LISTS ARG_RANKS)
      set(command ${MPIEXEC_EXECUTABLE} --oversubscribe ${MPIEXEC_NUMPROC_FLAG} ${n} $<TARGET_FILE:${ARG_NAME}>)
      add_test(NAME ${ARG_NAME}.ranks${n} COMMAND ${command})
      set_tests_properties(${ARG_NAME}.ranks${n} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} PROCESSORS 2
        ENVIRONMENT "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;ASAN_OPTIONS=detect_leaks=0")
    endforeach()
  else()
    target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBS} GTest::gtest_main rastertide_warnings)
  endif()
  if(ARG_SHARDS)
    foreach(shard RANGE 1 ${ARG_SHARDS})
      math(EXPR index "${shard} - 1")
      add_test(NAME ${ARG_NAME}.${shard} COMMAND ${ARG_NAME})
      set_tests_properties(${ARG_NAME}.${shard} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} COST 100
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${index}")
    endforeach()
  elseif(NOT ARG_RANKS)
    add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
    set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
  endif()
endfunction()
