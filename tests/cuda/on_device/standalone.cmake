# SPDX-License-Identifier: Apache-2.0
# Of the library no more than the kernels and the plain double-precision loops that they are held against.
get_filename_component(root "${CMAKE_CURRENT_SOURCE_DIR}/../../.." ABSOLUTE)
set(RASTERTIDE_WITH_CUDA ON)
include("${root}/src/cmake/RastertideCuda.cmake")
find_package(CUDAToolkit REQUIRED)
find_package(OpenMP COMPONENTS CXX)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_STANDARD 20)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(kernel_sources lof_neighbors.cu lof_scores.cu kmeans_dense.cu kmeans_labels.cu kmeans_sums.cu cublas.cpp score_tile.cpp
                   assign_tile.cpp module.cpp)
list(TRANSFORM kernel_sources PREPEND "${root}/src/compute/cuda/")
set(core_sources compute/reference/lof.cpp compute/reference/kmeans.cpp compute/patch_memory.cpp reduce/patch_sums.cpp)
list(TRANSFORM core_sources PREPEND "${root}/src/")

add_executable(on_device ${program_sources} ${kernel_sources} ${core_sources})
set_target_properties(on_device PROPERTIES CUDA_RUNTIME_LIBRARY Static)
target_include_directories(on_device PRIVATE "${root}/src" "${root}/include" "${root}/tests")
target_link_libraries(on_device PRIVATE CUDA::cudart_static ${CMAKE_DL_LIBS} $<TARGET_NAME_IF_EXISTS:OpenMP::OpenMP_CXX>)
# As the module is built: a multiply-add only where the code says so.
target_compile_options(on_device PRIVATE
  "$<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>"
  "$<$<COMPILE_LANGUAGE:CUDA>:--fmad=false;--expt-relaxed-constexpr;-lineinfo>")
