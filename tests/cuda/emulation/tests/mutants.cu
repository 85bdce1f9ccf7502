// SPDX-License-Identifier: Apache-2.0
// Kernels and host code with one planted bug each, that the emulator has to catch: emulation_mutants NAME.
// Says "right result", "wrong result", or what the emulator or a sanitizer says.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <cuda_runtime.h>
#include <unistd.h>

namespace {

constexpr int kThreads = 64;

using Tile = float[kThreads];

template <bool with_barrier>
__global__ void reverse_in_block(const float* in, float* out) {
    RASTERTIDE_SHARED(Tile, tile);
    tile[threadIdx.x] = in[threadIdx.x];
    if constexpr (with_barrier) __syncthreads();
    out[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}

template <bool with_second_barrier>
__global__ void rotate_to_reverse(const float* in, float* out) {
    RASTERTIDE_SHARED(Tile, tile);
    float value = in[threadIdx.x];
    for (int i = 0; i < 3; ++i) {
        tile[threadIdx.x] = value;
        __syncthreads();
        value = tile[(threadIdx.x + 1) % kThreads];
        if constexpr (with_second_barrier) __syncthreads();
    }
    out[(2 * kThreads - 4 - threadIdx.x) % kThreads] = value;
}

template <bool with_syncwarp>
__global__ void reverse_in_warp(const float* in, float* out) {
    RASTERTIDE_SHARED(Tile, tile);
    tile[threadIdx.x] = in[threadIdx.x];
    if constexpr (with_syncwarp) __syncwarp();
    const unsigned first = threadIdx.x / 32 * 32, lane = threadIdx.x % 32;
    out[kThreads - 32 - first + lane] = tile[first + 31 - lane];
}

__global__ void index_beyond_shared(const float* in, float* out) {
    RASTERTIDE_SHARED(Tile, tile);
    float* const cells = tile;
    cells[threadIdx.x + 1] = in[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = cells[kThreads - 1 - threadIdx.x];
}

__global__ void wide_read_of_narrow_shared(const float* in, float* out) {
    RASTERTIDE_SHARED(Tile, tile);
    tile[threadIdx.x] = in[threadIdx.x];
    __syncthreads();
    const float4 four = *reinterpret_cast<const float4*>(tile + threadIdx.x / 4 * 4);
    out[threadIdx.x] = four.x;
}

__global__ void index_beyond_global(const float* in, float* out) { out[threadIdx.x + 1] = in[threadIdx.x]; }

__global__ void barrier_in_divergent_code(const float* in, float* out) {
    out[threadIdx.x] = in[threadIdx.x];
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

__global__ void full_mask_in_divergent_code(const float* in, float* out) {
    unsigned votes = 0;
    if (threadIdx.x % 2 == 0) votes = __ballot_sync(0xffffffffu, in[threadIdx.x] > 0);
    __syncthreads();
    out[threadIdx.x] = static_cast<float>(votes);
}

__global__ void caller_outside_mask(const float*, float* out) {
    out[threadIdx.x] = __shfl_sync(0x0000ffffu, 1.0f, 0);
}

__global__ void exit_before_barrier(const float* in, float* out) {
    if (threadIdx.x == 7) return;
    out[threadIdx.x] = in[threadIdx.x];
    __syncthreads();
}

__global__ void exit_before_warp_operation(const float* in, float* out) {
    if (threadIdx.x == 7) return;
    out[threadIdx.x] = __shfl_down_sync(0xffffffffu, in[threadIdx.x], 1);
}

__global__ void two_blocks_one_word(const float*, float* out) {
    __syncthreads();
    if (threadIdx.x == blockIdx.x) out[0] = static_cast<float>(blockIdx.x);
    __syncthreads();
}

__global__ void uninitialised_shared(const float* in, float* out) {
    RASTERTIDE_SHARED(Tile, sums);
    sums[threadIdx.x] += in[threadIdx.x];
    out[kThreads - 1 - threadIdx.x] = sums[threadIdx.x];
}

__global__ void place_by_arrival(const float* in, float* out, unsigned* n) {
    out[atomicAdd(n, 1u)] = in[threadIdx.x];
}

void check(cudaError_t error) {
    if (error == cudaSuccess) return;
    std::printf("error: %s\n", cudaGetErrorString(error));
    std::_Exit(4);
}

/// The device's side of each case: 64 numbers in, and what is to be their reverse out.
struct Device {
    std::vector<float> in = std::vector<float>(kThreads), out = std::vector<float>(kThreads);
    float *device_in = nullptr, *device_out = nullptr;
    cudaStream_t stream = nullptr, other_stream = nullptr;

    Device() {
        for (int i = 0; i < kThreads; ++i) in[static_cast<std::size_t>(i)] = static_cast<float>(i + 1);
        check(cudaMalloc(&device_in, bytes()));
        check(cudaMalloc(&device_out, bytes()));
        check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
        check(cudaStreamCreateWithFlags(&other_stream, cudaStreamNonBlocking));
    }
    std::size_t bytes() const { return in.size() * sizeof(float); }
    void upload() { check(cudaMemcpyAsync(device_in, in.data(), bytes(), cudaMemcpyHostToDevice, stream)); }
    template <typename... Expected, typename... Actual>
    void launch(unsigned blocks, void (*kernel)(Expected...), Actual... arguments) {
        cudaLaunchConfig_t config;
        config.gridDim = blocks;
        config.blockDim = kThreads;
        config.stream = stream;
        check(cudaLaunchKernelEx(&config, kernel, arguments...));
    }
    void run(void (*kernel)(const float*, float*), unsigned blocks = 1) {
        launch(blocks, kernel, device_in, device_out);
    }
    void download(cudaStream_t on) {
        check(cudaMemcpyAsync(out.data(), device_out, bytes(), cudaMemcpyDeviceToHost, on));
    }
    void download() { download(stream); }
    void wait() { check(cudaStreamSynchronize(stream)); }

    int report() const {
        for (int i = 0; i < kThreads; ++i)
            if (out[static_cast<std::size_t>(i)] != static_cast<float>(kThreads - i)) {
                std::printf("wrong result: out[%d] is %g, not %d\n", i,
                            static_cast<double>(out[static_cast<std::size_t>(i)]), kThreads - i);
                return 2;
            }
        std::puts("right result");
        return 0;
    }
};

int run_mutant(const std::string& name) {
    Device d;
    const auto whole = [&](void (*kernel)(const float*, float*), unsigned blocks = 1) {
        d.upload();
        d.run(kernel, blocks);
        d.download();
        d.wait();
        return d.report();
    };
    const auto right = reverse_in_block<true>;
    if (name == "none") return whole(right);
    if (name == "none_in_warps") return whole(reverse_in_warp<true>);
    if (name == "missing_barrier") return whole(reverse_in_block<false>);
    if (name == "none_in_loop") return whole(rotate_to_reverse<true>);
    if (name == "missing_second_barrier") return whole(rotate_to_reverse<false>);
    if (name == "missing_syncwarp") return whole(reverse_in_warp<false>);
    if (name == "index_beyond_shared") return whole(index_beyond_shared);
    if (name == "index_beyond_global") return whole(index_beyond_global);
    if (name == "wide_read_of_narrow_shared") return whole(wide_read_of_narrow_shared);
    if (name == "barrier_in_divergent_code") return whole(barrier_in_divergent_code);
    if (name == "full_mask_in_divergent_code") return whole(full_mask_in_divergent_code);
    if (name == "caller_outside_mask") return whole(caller_outside_mask);
    if (name == "exit_before_barrier") return whole(exit_before_barrier);
    if (name == "exit_before_warp_operation") return whole(exit_before_warp_operation);
    if (name == "two_blocks_one_word") return whole(two_blocks_one_word, 2);
    if (name == "uninitialised_shared") return whole(uninitialised_shared);
    if (name == "order_dependence") {
        unsigned* n = nullptr;
        check(cudaMalloc(&n, sizeof *n));
        std::vector<float> forward;
        for (const char* schedule : {"forward", "reverse"}) {
            setenv("RASTERTIDE_EMULATION_SCHEDULE", schedule, 1);
            d.upload();
            check(cudaMemsetAsync(n, 0, sizeof *n, d.stream));
            d.launch(1, place_by_arrival, d.device_in, d.device_out, n);
            d.download();
            d.wait();
            if (forward.empty()) forward = d.out;
        }
        std::puts(forward == d.out ? "right result" : "schedules differ");
        return 0;
    }
    if (name == "host_reads_before_synchronise") {
        d.upload();
        d.run(right);
        d.download();
        return d.report();
    }
    if (name == "copy_from_stale_buffer") {
        d.upload();
        d.in.assign(d.in.size(), 0.0f);
        d.run(right);
        d.download();
        d.wait();
        return d.report();
    }
    if (name == "missing_event" || name == "none_with_event") {
        cudaEvent_t done = nullptr;
        check(cudaEventCreateWithFlags(&done, cudaEventDisableTiming));
        d.upload();
        d.run(right);
        check(cudaEventRecord(done, d.stream));
        if (name != "missing_event") check(cudaStreamWaitEvent(d.other_stream, done));
        d.download(d.other_stream);
        check(cudaStreamSynchronize(d.other_stream));
        check(cudaEventDestroy(done));
        return d.report();
    }
    if (name == "copy_beyond_allocation") d.device_in += 1, d.upload();
    if (name == "host_pointer_for_device") d.device_in = d.out.data(), d.upload();
    if (name == "device_pointer_for_host") {
        check(cudaMemcpy(d.device_out, d.device_in, d.bytes(), cudaMemcpyHostToDevice));
    }
    if (name == "copy_to_freed_memory") {
        check(cudaFree(d.device_in));
        d.upload();
    }
    if (name == "kernel_reads_freed_memory") {
        check(cudaFree(d.device_in));
        d.run(right);
    }
    if (name == "host_pointer_for_kernel") {
        d.device_in = d.in.data();
        d.run(right);
    }
    if (name == "work_on_destroyed_stream") {
        check(cudaStreamDestroy(d.stream));
        d.upload();
    }
    std::printf("not caught: '%s'\n", name.c_str());
    return 5;
}

}  // namespace

int main(int argc, char** argv) {
    // CTest takes a signal for a failure, whatever was said before it.
    std::signal(SIGABRT, [](int) { _exit(3); });
    return run_mutant(argc == 2 ? argv[1] : "");
}
