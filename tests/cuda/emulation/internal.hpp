// SPDX-License-Identifier: Apache-2.0
// Between the two halves of the emulator: the runtime (runtime.cpp) and the blocks that it runs (blocks.cpp).
#pragma once

#include <functional>

#include <cuda_runtime.h>

namespace rastertide_emulation {

/// Prints one line, "cuda emulation: error: ...", and aborts.
[[noreturn]] __attribute__((format(printf, 1, 2))) void fail(const char* format, ...);

/// Runs `thread` once for each thread of the grid, in the order that the environment asks for.
void run_grid(const dim3& grid, const dim3& block, const std::function<void()>& thread);

/// Puts work of a library that stands in for one of NVIDIA's in a stream.
cudaError_t enqueue_work(cudaStream_t stream, std::function<void()> work);

}  // namespace rastertide_emulation
