# SPDX-License-Identifier: Apache-2.0
# Builds CUDA sources with the emulator, once for each flavour: plain, and with the sanitizers that the preset has not.
include(CheckCXXSourceRuns)

if(CMAKE_CXX_FLAGS MATCHES "-fsanitize|--coverage" OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(RASTERTIDE_EMULATION_FLAVOURS plain)
else()
  set(RASTERTIDE_EMULATION_FLAVOURS plain asan tsan)
endif()

# fmaf() of the C library costs a call; kernels are full of it.
check_cxx_source_runs("int main() { return __builtin_cpu_supports(\"fma\") ? 0 : 1; }" RASTERTIDE_EMULATION_FMA)

set(RASTERTIDE_EMULATION_OPTIONS_asan -fsanitize=address,undefined -fno-sanitize-recover=undefined)
set(RASTERTIDE_EMULATION_OPTIONS_tsan -fsanitize=thread)

# The name of a target in a flavour: x, x_asan, x_tsan.
function(rastertide_emulation_name result name flavour)
  string(REGEX REPLACE "_plain$" "" full "${name}_${flavour}")
  set(${result} ${full} PARENT_SCOPE)
endfunction()

function(rastertide_emulation_target target flavour)
  foreach(source IN LISTS ARGN)
    if(source MATCHES "\\.cu$")
      set_source_files_properties(${source} PROPERTIES LANGUAGE CXX)
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES CXX_CLANG_TIDY "")  # knows no std::source_location before 16
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/tests")
  target_compile_options(${target} PRIVATE -ffp-contract=off $<$<BOOL:${RASTERTIDE_EMULATION_FMA}>:-mfma>)
  if(NOT flavour STREQUAL "plain")
    target_compile_options(${target} PRIVATE -O1 -g1 -fno-omit-frame-pointer ${RASTERTIDE_EMULATION_OPTIONS_${flavour}})
    target_link_options(${target} PUBLIC ${RASTERTIDE_EMULATION_OPTIONS_${flavour}})
  endif()
endfunction()

# rastertide_add_emulated_library(NAME x SOURCES a.cu b.cpp [LIBS libs] [SHARED])
# makes x_emulated, x_emulated_asan and x_emulated_tsan. A shared one holds an emulator of its own.
function(rastertide_add_emulated_library)
  cmake_parse_arguments(ARG "SHARED" "NAME" "SOURCES;LIBS" ${ARGN})
  foreach(flavour IN LISTS RASTERTIDE_EMULATION_FLAVOURS)
    rastertide_emulation_name(target ${ARG_NAME}_emulated ${flavour})
    if(ARG_SHARED)
      add_library(${target} SHARED ${ARG_SOURCES})
    else()
      add_library(${target} STATIC ${ARG_SOURCES})
    endif()
    rastertide_emulation_target(${target} ${flavour} ${ARG_SOURCES})
    target_link_libraries(${target} PUBLIC rastertide_cuda_emulation ${ARG_LIBS} PRIVATE rastertide_warnings)
  endforeach()
endfunction()

# rastertide_add_emulated_program(NAME x SOURCES f.cpp [LIBS libs] [EMULATED names])
# makes x, x_asan and x_tsan, linked with the emulated libraries of the same flavour.
function(rastertide_add_emulated_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;LIBS;EMULATED" ${ARGN})
  foreach(flavour IN LISTS RASTERTIDE_EMULATION_FLAVOURS)
    rastertide_emulation_name(target ${ARG_NAME} ${flavour})
    add_executable(${target} ${ARG_SOURCES})
    rastertide_emulation_target(${target} ${flavour} ${ARG_SOURCES})
    target_link_libraries(${target} PRIVATE ${ARG_LIBS} rastertide_cuda_emulation rastertide_warnings)
    foreach(library IN LISTS ARG_EMULATED)
      rastertide_emulation_name(flavoured ${library}_emulated ${flavour})
      target_link_libraries(${target} PRIVATE ${flavoured})
    endforeach()
  endforeach()
endfunction()

# rastertide_add_emulated_test(NAME test_x SOURCES f.cpp [LIBS libs] [EMULATED names] [SCHEDULES forward reverse random] [TIMEOUT s])
# makes programs with GoogleTest's main and runs each in each flavour and schedule: test_x.forward, test_x_asan.forward, ...
function(rastertide_add_emulated_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;LIBS;EMULATED;SCHEDULES" ${ARGN})
  if(NOT ARG_SCHEDULES)
    set(ARG_SCHEDULES forward)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  rastertide_add_emulated_program(NAME ${ARG_NAME} SOURCES ${ARG_SOURCES} LIBS ${ARG_LIBS} GTest::gtest_main EMULATED ${ARG_EMULATED})
  foreach(flavour IN LISTS RASTERTIDE_EMULATION_FLAVOURS)
    rastertide_emulation_name(target ${ARG_NAME} ${flavour})
    foreach(schedule IN LISTS ARG_SCHEDULES)
      add_test(NAME ${target}.${schedule} COMMAND ${target})
      set_tests_properties(${target}.${schedule} PROPERTIES LABELS cuda TIMEOUT ${ARG_TIMEOUT}
        ENVIRONMENT "RASTERTIDE_EMULATION_SCHEDULE=${schedule};TSAN_OPTIONS=atexit_sleep_ms=0")
    endforeach()
  endforeach()
endfunction()
