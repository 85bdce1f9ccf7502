// SPDX-License-Identifier: Apache-2.0
// The few names that stand between a kernel's source and the compiler that takes it: nvcc, or a C++ compiler
// with a stand-in for cuda_runtime.h (tests/cuda/emulation).
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <cuda_runtime.h>

#include "compute/cuda/module.hpp"

/// An array, or a struct of them, that the threads of a block share. No commas in `type`.
#ifndef RASTERTIDE_SHARED
#define RASTERTIDE_SHARED(type, name) __shared__ type name
#endif

#ifdef __CUDACC__
#define RASTERTIDE_UNROLL _Pragma("unroll")
#define RASTERTIDE_KEEP_LOOP _Pragma("unroll 1")
#else
#define RASTERTIDE_UNROLL
#define RASTERTIDE_KEEP_LOOP
#endif

namespace rastertide::cuda {

/// A call of the CUDA runtime failed. Ends at the module's functions, which make an Outcome of it.
struct CudaFailure {
    Status status;
    std::string text;
};

/// @param what  "cudaMalloc of 1048576 bytes". @throws CudaFailure
inline void check(cudaError_t error, const std::string& what) {
    if (error == cudaSuccess) return;
    cudaGetLastError();  // a failed allocation is no reason for the next call to fail
    const Status status = error == cudaErrorMemoryAllocation ? Status::OutOfMemory : Status::Failed;
    throw CudaFailure{status, what + ": " + cudaGetErrorString(error)};
}

/// Starts a kernel without `<<<>>>`, which only nvcc can read. @throws CudaFailure
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), dim3 grid, unsigned n_threads,
            cudaStream_t stream, Arguments&&... arguments) {
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = dim3(n_threads);
    config.stream = stream;
    check(cudaLaunchKernelEx(&config, kernel, Parameters(std::forward<Arguments>(arguments))...),
          std::string("kernel ") + name);
}

inline unsigned n_blocks(std::int64_t n_items, std::int64_t per_block) {
    return static_cast<unsigned>((n_items + per_block - 1) / per_block);
}

}  // namespace rastertide::cuda
