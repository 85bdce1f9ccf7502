// SPDX-License-Identifier: Apache-2.0
// A module with a kernel in it, to be opened at run time.
#include <cuda_runtime.h>

namespace {

__global__ void rotate(float* values) {
    using Tile = float[64];
    RASTERTIDE_SHARED(Tile, tile);
    tile[threadIdx.x] = values[threadIdx.x];
    __syncthreads();
    values[threadIdx.x] = tile[(threadIdx.x + 1) % 64];
}

}  // namespace

/// 64 values, rotated by one; the status as CUDA gives it.
extern "C" __attribute__((visibility("default"))) int rotate_on_device(float* values) {
    float* device = nullptr;
    if (const cudaError_t error = cudaMalloc(&device, 64 * sizeof(float)); error != cudaSuccess) return error;
    cudaMemcpy(device, values, 64 * sizeof(float), cudaMemcpyHostToDevice);
    cudaLaunchConfig_t config;
    config.blockDim = 64;
    cudaLaunchKernelEx(&config, rotate, device);
    cudaMemcpy(values, device, 64 * sizeof(float), cudaMemcpyDeviceToHost);
    return cudaFree(device);
}
