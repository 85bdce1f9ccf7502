// SPDX-License-Identifier: Apache-2.0
// That right kernels and right host code behave as on a device, in every schedule and flavour.
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>
#include <vector>

#include <cuda_runtime.h>
#include <gtest/gtest.h>

namespace {

#define EXPECT_OK(call) EXPECT_EQ(call, cudaSuccess)

/// Sets a variable of the environment, and takes it back at its end.
struct Variable {
    Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
    ~Variable() { unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

  private:
    const char* name_;
};

struct Stream {
    explicit Stream(unsigned flags = cudaStreamNonBlocking) {
        EXPECT_OK(cudaStreamCreateWithFlags(&handle, flags));
    }
    ~Stream() { cudaStreamDestroy(handle); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    void wait() { EXPECT_OK(cudaStreamSynchronize(handle)); }

    cudaStream_t handle = nullptr;
};

template <typename T>
struct Buffer {
    explicit Buffer(std::size_t n) : size(n) { EXPECT_OK(cudaMalloc(&data, n * sizeof(T))); }
    explicit Buffer(const std::vector<T>& values) : Buffer(values.size()) {
        EXPECT_OK(cudaMemcpy(data, values.data(), size * sizeof(T), cudaMemcpyHostToDevice));
    }
    ~Buffer() { cudaFree(data); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    std::vector<T> read() const {
        std::vector<T> values(size);
        EXPECT_OK(cudaMemcpy(values.data(), data, size * sizeof(T), cudaMemcpyDeviceToHost));
        return values;
    }

    T* data = nullptr;
    std::size_t size;
};

template <typename... Expected, typename... Actual>
cudaError_t launch(dim3 grid, dim3 block, cudaStream_t stream, void (*kernel)(Expected...),
                   Actual&&... arguments) {
    cudaLaunchConfig_t config;
    config.gridDim = grid;
    config.blockDim = block;
    config.stream = stream;
    return cudaLaunchKernelEx(&config, kernel, std::forward<Actual>(arguments)...);
}

template <typename... Expected, typename... Actual>
void run(dim3 grid, dim3 block, void (*kernel)(Expected...), Actual&&... arguments) {
    Stream stream;
    EXPECT_OK(launch(grid, block, stream.handle, kernel, std::forward<Actual>(arguments)...));
    stream.wait();
}

template <typename T, int n>
__global__ void __launch_bounds__(n) sum_in_block(const T* __restrict__ values, T* __restrict__ sums) {
    using Tile = T[n];
    RASTERTIDE_SHARED(Tile, tile);
    tile[threadIdx.x] = values[blockIdx.x * n + threadIdx.x];
    for (unsigned half = n / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) tile[threadIdx.x] += tile[threadIdx.x + half];
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = tile[0];
}

TEST(CudaEmulation, BlocksShareMemoryAndBarriers) {
    constexpr int kBlocks = 5, kThreads = 256;
    std::vector<int> values(kBlocks * kThreads);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i);
    const Buffer<int> in(values), out(kBlocks);

    run(kBlocks, kThreads, sum_in_block<int, kThreads>, in.data, out.data);

    for (int block = 0; block < kBlocks; ++block)
        EXPECT_EQ(out.read()[static_cast<std::size_t>(block)],
                  kThreads * (kThreads - 1) / 2 + block * kThreads * kThreads);
}

__global__ void write_indices(uint3* out) {
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    __syncthreads();
    out[block * blockDim.x * blockDim.y * blockDim.z + thread] = make_uint3(
        threadIdx.x + 100 * blockIdx.x, threadIdx.y + 100 * blockIdx.y, threadIdx.z + 100 * blockIdx.z);
}

TEST(CudaEmulation, IndicesHaveThreeDimensions) {
    const dim3 grid(2, 3, 2), block(5, 3, 4);
    const Buffer<uint3> out(12 * 60);

    run(grid, block, write_indices, out.data);

    const std::vector<uint3> found = out.read();
    for (unsigned i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].x, i % 5 + 100 * (i / 60 % 2));
        EXPECT_EQ(found[i].y, i / 5 % 3 + 100 * (i / 120 % 3));
        EXPECT_EQ(found[i].z, i / 15 % 4 + 100 * (i / 360));
    }
}

__global__ void vote_in_block(int* out) {
    const int odd = threadIdx.x % 2 == 1, first = threadIdx.x == 0;
    const int n = __syncthreads_count(odd), any = __syncthreads_or(first), none = __syncthreads_or(0);
    const int all = __syncthreads_and(1), not_all = __syncthreads_and(!first);
    out[threadIdx.x] = n * 10000 + any * 1000 + none * 100 + all * 10 + not_all;
}

TEST(CudaEmulation, BarriersCountVotes) {
    const Buffer<int> out(70);

    run(1, 70, vote_in_block, out.data);

    EXPECT_EQ(out.read(), std::vector<int>(70, 351010));
}

__global__ void vote_in_warp(unsigned* out) {
    const unsigned lane = threadIdx.x % 32;
    unsigned* const mine = out + threadIdx.x * 5;
    mine[0] = __ballot_sync(0xffffffffu, lane % 3 == 0);
    if (lane < 16) {
        mine[1] = __ballot_sync(0x0000ffffu, lane > 7);
    } else {
        mine[1] = __ballot_sync(0xffff0000u, lane > 20);
    }
    mine[2] = static_cast<unsigned>(__any_sync(0xffffffffu, lane == 5));
    mine[3] = static_cast<unsigned>(__all_sync(0xffffffffu, lane == 5));
    mine[4] = static_cast<unsigned>(__all_sync(0xffffffffu, lane < 32));
}

TEST(CudaEmulation, WarpsVote) {
    const Buffer<unsigned> out(64 * 5);

    run(1, 64, vote_in_warp, out.data);

    const std::vector<unsigned> found = out.read();
    for (std::size_t thread = 0; thread < 64; ++thread) {
        EXPECT_EQ(found[thread * 5], 0x49249249u);
        EXPECT_EQ(found[thread * 5 + 1], thread % 32 < 16 ? 0x0000ff00u : 0xffe00000u);
        EXPECT_EQ(found[thread * 5 + 2], 1u);
        EXPECT_EQ(found[thread * 5 + 3], 0u);
        EXPECT_EQ(found[thread * 5 + 4], 1u);
    }
}

template <typename T>
__global__ void shuffle(T* out) {
    const T value = static_cast<T>(threadIdx.x) * 3;
    T* const mine = out + threadIdx.x * 6;
    mine[0] = __shfl_sync(0xffffffffu, value, 9);
    mine[1] = __shfl_sync(0xffffffffu, value, 9, 8);
    mine[2] = __shfl_up_sync(0xffffffffu, value, 3);
    mine[3] = __shfl_down_sync(0xffffffffu, value, 3, 16);
    mine[4] = __shfl_xor_sync(0xffffffffu, value, 5);
    mine[5] = __shfl_xor_sync(0xffffffffu, value, 12, 8);
}

template <typename T>
void expect_shuffles() {
    const Buffer<T> out(64 * 6);

    run(1, 64, shuffle<T>, out.data);

    const std::vector<T> found = out.read();
    for (int thread = 0; thread < 64; ++thread) {
        const int first = thread / 32 * 32, lane = thread % 32;
        const int sources[] = {9,
                               lane / 8 * 8 + 1,
                               lane < 3 ? lane : lane - 3,
                               lane % 16 > 12 ? lane : lane + 3,
                               lane ^ 5,
                               (lane ^ 12) > (lane | 7) ? lane : lane ^ 12};
        for (int i = 0; i < 6; ++i)
            EXPECT_EQ(found[static_cast<std::size_t>(thread * 6 + i)],
                      static_cast<T>((first + sources[i]) * 3))
                << thread << ' ' << i;
    }
}

TEST(CudaEmulation, WarpsShuffleEveryType) {
    expect_shuffles<int>();
    expect_shuffles<unsigned>();
    expect_shuffles<float>();
    expect_shuffles<double>();
    expect_shuffles<long long>();
    expect_shuffles<unsigned long long>();
}

__global__ void shuffle_from_absent_lane(unsigned* out) {
    if (threadIdx.x < 8)
        out[threadIdx.x] = __shfl_sync(0xffu, threadIdx.x, static_cast<int>(threadIdx.x + 4));
}

TEST(CudaEmulation, ShuffleFromALaneThatTakesNoPartIsPoison) {
    const Buffer<unsigned> out(8);

    run(1, 32, shuffle_from_absent_lane, out.data);

    EXPECT_EQ(out.read(), (std::vector<unsigned>{4, 5, 6, 7, ~0u, ~0u, ~0u, ~0u}));
}

__global__ void sum_by_warps(const float* values, float* sums) {
    using Partials = float[4];
    RASTERTIDE_SHARED(Partials, partials);
    float sum = values[threadIdx.x];
    for (int step = 16; step > 0; step /= 2)
        sum += __shfl_down_sync(0xffffffffu, sum, static_cast<unsigned>(step));
    if (threadIdx.x % 32 == 0) partials[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x == 0) *sums = partials[0] + partials[1] + partials[2] + partials[3];
}

TEST(CudaEmulation, WarpSumsMeetInSharedMemory) {
    std::vector<float> values(128);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    const Buffer<float> in(values), out(1);

    run(1, 128, sum_by_warps, in.data, out.data);

    EXPECT_EQ(out.read()[0], 8128.0f);
}

__global__ void pass_through_warp(int* out) {
    using Slots = int[64];
    RASTERTIDE_SHARED(Slots, slots);
    int value = static_cast<int>(threadIdx.x);
    for (int i = 0; i < 5; ++i) {
        slots[threadIdx.x] = value;
        __syncwarp();
        value = slots[threadIdx.x / 32 * 32 + (threadIdx.x + 1) % 32];
        __syncwarp();
    }
    // Halves of a warp on their own, then the whole warp again.
    slots[threadIdx.x] = value;
    if (threadIdx.x % 32 < 16)
        __syncwarp(0x0000ffffu);
    else
        __syncwarp(0xffff0000u);
    value = slots[threadIdx.x ^ 15u];
    __syncwarp();
    slots[threadIdx.x] = value;
    __syncwarp();
    out[threadIdx.x] = slots[threadIdx.x ^ 31u];
}

TEST(CudaEmulation, WarpBarriersOrderMemory) {
    const Buffer<int> out(64);

    run(1, 64, pass_through_warp, out.data);

    const std::vector<int> found = out.read();
    for (int i = 0; i < 64; ++i)
        EXPECT_EQ(found[static_cast<std::size_t>(i)], i / 32 * 32 + ((i ^ 31 ^ 15) % 32 + 5) % 32);
}

struct Results {
    int sum, max, min;
    unsigned bits, exchanged, n_swapped;
    unsigned long long wide;
};

__global__ void use_atomics(Results* r) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    atomicAdd(&r->sum, i - 50);
    atomicMax(&r->max, i - 50);
    atomicMin(&r->min, i - 50);
    atomicOr(&r->bits, 1u << (i % 20));
    if (i == 7) atomicExch(&r->exchanged, 99u);
    if (atomicCAS(&r->n_swapped, 0u, 1u) == 0u) atomicAdd(&r->wide, 1ull << 40);
    atomicAdd(&r->wide, 1ull);
}

TEST(CudaEmulation, AtomicsAddUpOverBlocks) {
    const Buffer<Results> out(std::vector<Results>{Results{}});

    run(3, 64, use_atomics, out.data);

    const Results r = out.read()[0];
    EXPECT_EQ(r.sum, 191 * 192 / 2 - 50 * 192);
    EXPECT_EQ(r.max, 141);
    EXPECT_EQ(r.min, -50);
    EXPECT_EQ(r.bits, 0xfffffu);
    EXPECT_EQ(r.exchanged, 99u);
    EXPECT_EQ(r.wide, (1ull << 40) + 192);
}

__global__ void last_block_sums(const int* values, int* partials, unsigned* n_done, int* sum) {
    if (threadIdx.x != 0) return;
    partials[blockIdx.x] = values[blockIdx.x];
    __threadfence();
    if (atomicAdd(n_done, 1u) != gridDim.x - 1) return;
    __threadfence();
    *sum = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) *sum += partials[i];
}

TEST(CudaEmulation, FencesOrderTheLastBlock) {
    const Buffer<int> values(std::vector<int>{1, 2, 3, 4, 5}), partials(5), sum(1);
    const Buffer<unsigned> n_done(std::vector<unsigned>{0});

    run(5, 32, last_block_sums, values.data, partials.data, n_done.data, sum.data);

    EXPECT_EQ(sum.read()[0], 15);
}

struct Moments {
    double sum;
    float low[3];
};

template <int n_rows>
__global__ void keep_structs(float* out) {
    using Rows = float[n_rows][32];
    RASTERTIDE_SHARED(Rows, rows);
    RASTERTIDE_SHARED(Moments, moments);
    for (int row = 0; row < n_rows; ++row) rows[row][threadIdx.x] = static_cast<float>(row);
    if (threadIdx.x == 0) moments.sum = n_rows;
    __syncthreads();
    out[threadIdx.x] = rows[n_rows - 1][31 - threadIdx.x] + static_cast<float>(moments.sum);
}

TEST(CudaEmulation, SharedMemoryHoldsStructsAndTables) {
    const Buffer<float> out(32);

    run(1, 32, keep_structs<4>, out.data);

    EXPECT_EQ(out.read(), std::vector<float>(32, 7.0f));
}

__global__ void use_intrinsics(double* out) {
    out[0] = __popc(0xf0f0u) + 100 * __ffs(8) + 10000 * __clz(1);
    out[1] = static_cast<double>(__double2ll_rn(2.5) + __double2ll_rn(-3.5));
    out[2] = __double2ll_rn(1e30) == INT64_MAX && __double2ll_rn(-1e30) == INT64_MIN &&
             __double2ll_rn(out[1] * NAN) == INT64_MIN;
    out[3] = static_cast<double>(__uint_as_float(__float_as_uint(1.5f))) +
             __longlong_as_double(__double_as_longlong(2.0));
    out[4] = static_cast<double>(min(1.0f, NAN)) + max(3, 4) + static_cast<double>(min(5ull, 6ull));
    out[5] = static_cast<double>(__fmaf_rn(1 + 0x1p-12f, 1 + 0x1p-12f, -1)) -
             static_cast<double>(__fadd_rn(__fmul_rn(1 + 0x1p-12f, 1 + 0x1p-12f), -1));
    const float4 four = make_float4(1, 2, 3, 4);
    out[6] = static_cast<double>(four.x + four.y + four.z + four.w);
}

TEST(CudaEmulation, IntrinsicsRoundAndSaturateAsOnTheDevice) {
    const Buffer<double> out(7);

    run(1, 1, use_intrinsics, out.data);

    EXPECT_EQ(out.read(), (std::vector<double>{310408, -2, 1, 3.5, 10, 0x1p-24, 10}));
}

__global__ void add(int* values, int n, int what) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) values[i] += what;
}

TEST(CudaEmulation, WorkOnAStreamIsDoneInOrderWhenItIsWaitedFor) {
    Stream stream;
    std::vector<int> host(100, 1), back(100, 0);
    const Buffer<int> device(100);
    const std::size_t bytes = host.size() * sizeof(int);

    EXPECT_OK(cudaMemcpyAsync(device.data, host.data(), bytes, cudaMemcpyHostToDevice, stream.handle));
    EXPECT_OK(launch(4, 32, stream.handle, add, device.data, 100, 41));
    EXPECT_OK(cudaMemsetAsync(device.data, 0, sizeof(int), stream.handle));
    EXPECT_OK(cudaMemcpyAsync(back.data(), device.data, bytes, cudaMemcpyDeviceToHost, stream.handle));
    EXPECT_EQ(back[1], 0);
    stream.wait();

    EXPECT_EQ(back[0], 0);
    EXPECT_EQ(back[1], 42);
    EXPECT_EQ(back[99], 42);
}

TEST(CudaEmulation, EventsOrderStreams) {
    Stream first, second;
    cudaEvent_t begin = nullptr, end = nullptr;
    EXPECT_OK(cudaEventCreate(&begin));
    EXPECT_OK(cudaEventCreate(&end));
    const Buffer<int> device(std::vector<int>(10, 0));
    std::vector<int> back(10);
    float milliseconds = -1;

    EXPECT_OK(cudaEventRecord(begin, first.handle));
    EXPECT_OK(launch(1, 32, first.handle, add, device.data, 10, 5));
    EXPECT_OK(cudaEventRecord(end, first.handle));
    EXPECT_OK(launch(1, 32, first.handle, add, device.data, 10, 100));
    EXPECT_OK(cudaStreamWaitEvent(second.handle, end));
    EXPECT_OK(cudaMemcpyAsync(back.data(), device.data, 40, cudaMemcpyDeviceToHost, second.handle));
    EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin, end), cudaErrorNotReady);
    EXPECT_EQ(cudaGetLastError(), cudaErrorNotReady);
    second.wait();
    EXPECT_OK(cudaEventSynchronize(end));
    EXPECT_OK(cudaEventElapsedTime(&milliseconds, begin, end));

    EXPECT_EQ(back, std::vector<int>(10, 5));
    EXPECT_GE(milliseconds, 0.0f);
    EXPECT_OK(cudaDeviceSynchronize());
    EXPECT_EQ(device.read(), std::vector<int>(10, 105));
    EXPECT_OK(cudaEventDestroy(begin));
    EXPECT_OK(cudaEventDestroy(end));
}

TEST(CudaEmulation, TheDefaultStreamWaitsForBlockingStreamsOnly) {
    Stream blocking(cudaStreamDefault), other;
    const Buffer<int> a(std::vector<int>(1, 0)), b(std::vector<int>(1, 0));

    EXPECT_OK(launch(1, 1, blocking.handle, add, a.data, 1, 1));
    EXPECT_OK(launch(1, 1, other.handle, add, b.data, 1, 1));

    EXPECT_EQ(a.read()[0], 1);
    EXPECT_EQ(b.read()[0], 0);
    other.wait();
    EXPECT_EQ(b.read()[0], 1);
}

TEST(CudaEmulation, CopiesOfBoxesTouchNothingElse) {
    Stream stream;
    const int n = 4;
    std::vector<int> host(static_cast<std::size_t>(n * n * n)), back(host.size(), -1);
    for (std::size_t i = 0; i < host.size(); ++i) host[i] = static_cast<int>(i);
    const Buffer<int> device(std::vector<int>(host.size(), -2));
    const std::size_t pitch = n * sizeof(int);

    cudaMemcpy3DParms box;
    box.srcPtr = make_cudaPitchedPtr(host.data(), pitch, n, n);
    box.dstPtr = make_cudaPitchedPtr(device.data, pitch, n, n);
    box.srcPos = make_cudaPos(sizeof(int), 1, 1);
    box.dstPos = make_cudaPos(0, 2, 0);
    box.extent = make_cudaExtent(2 * sizeof(int), 2, 3);
    box.kind = cudaMemcpyHostToDevice;
    EXPECT_OK(cudaMemcpy3DAsync(&box, stream.handle));
    EXPECT_OK(cudaMemcpy2DAsync(back.data(), pitch, device.data, pitch, 2 * sizeof(int), n,
                                cudaMemcpyDeviceToHost, stream.handle));
    stream.wait();

    const std::vector<int> found = device.read();
    for (int z = 0; z < n; ++z)
        for (int y = 0; y < n; ++y)
            for (int x = 0; x < n; ++x) {
                const bool inside = x < 2 && y >= 2 && z < 3;
                EXPECT_EQ(found[static_cast<std::size_t>((z * n + y) * n + x)],
                          inside ? ((z + 1) * n + y - 1) * n + x + 1 : -2);
            }
    EXPECT_EQ(back[2], -1);
    EXPECT_EQ(back[8], found[8]);
    EXPECT_EQ(back[16], -1);
    EXPECT_EQ(cudaMemcpy2DAsync(back.data(), 4, device.data, 16, 8, 2, cudaMemcpyDeviceToHost, stream.handle),
              cudaErrorInvalidValue);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST(CudaEmulation, NewMemoryIsPoisonAndItsSizeIsLimited) {
    const Variable limit("RASTERTIDE_EMULATION_MEMORY", "1000");
    std::size_t free = 0, total = 0;
    void* pointer = nullptr;
    const Buffer<float> first(100);

    EXPECT_OK(cudaMemGetInfo(&free, &total));
    EXPECT_EQ(total, 1000u);
    EXPECT_EQ(free, 600u);
    EXPECT_EQ(cudaMalloc(&pointer, 601), cudaErrorMemoryAllocation);
    EXPECT_EQ(pointer, nullptr);
    EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
    EXPECT_OK(cudaMalloc(&pointer, 600));
    EXPECT_OK(cudaFree(pointer));
    EXPECT_NE(first.read()[99], first.read()[99]);
}

TEST(CudaEmulation, PinnedMemoryIsRegisteredOnce) {
    int* pinned = nullptr;
    std::vector<int> own(10);

    EXPECT_OK(cudaMallocHost(&pinned, 40));
    EXPECT_OK(cudaHostRegister(own.data(), 40, cudaHostRegisterDefault));
    EXPECT_EQ(cudaHostRegister(own.data(), 40, cudaHostRegisterDefault),
              cudaErrorHostMemoryAlreadyRegistered);
    EXPECT_OK(cudaHostUnregister(own.data()));
    EXPECT_EQ(cudaHostUnregister(own.data()), cudaErrorHostMemoryNotRegistered);
    EXPECT_OK(cudaFreeHost(pinned));
    EXPECT_EQ(cudaGetLastError(), cudaErrorHostMemoryNotRegistered);
}

TEST(CudaEmulation, DevicesCanBeAbsentOrMany) {
    int count = -1, device = -1;
    cudaDeviceProp properties;
    {
        const Variable devices("RASTERTIDE_EMULATION_DEVICES", "0");
        EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
        EXPECT_EQ(count, -1);
        EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorNoDevice);
    }
    {
        const Variable devices("RASTERTIDE_EMULATION_DEVICES", "-1");
        EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
    }
    const Variable devices("RASTERTIDE_EMULATION_DEVICES", "2");
    EXPECT_OK(cudaGetDeviceCount(&count));
    EXPECT_EQ(count, 2);
    EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
    EXPECT_OK(cudaSetDevice(1));
    EXPECT_OK(cudaGetDevice(&device));
    EXPECT_EQ(device, 1);
    EXPECT_OK(cudaGetDeviceProperties(&properties, 1));
    EXPECT_EQ(properties.warpSize, 32);
    EXPECT_OK(cudaSetDevice(0));
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
}

TEST(CudaEmulation, ALaunchThatFailsLosesTheDevice) {
    Stream stream;
    const Buffer<int> device(std::vector<int>(1, 0));
    {
        const Variable fault("RASTERTIDE_EMULATION_FAIL_LAUNCH", "2");
        EXPECT_OK(launch(1, 1, stream.handle, add, device.data, 1, 1));
        stream.wait();
        EXPECT_EQ(launch(1, 1, stream.handle, add, device.data, 1, 1), cudaErrorLaunchFailure);
        EXPECT_EQ(cudaStreamSynchronize(stream.handle), cudaErrorLaunchFailure);
        EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
        EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
    }
    EXPECT_OK(launch(1, 1, stream.handle, add, device.data, 1, 1));
    stream.wait();
    EXPECT_EQ(device.read()[0], 2);
}

TEST(CudaEmulation, LaunchesOfWrongShapeAreRefused) {
    Stream stream;
    int* const none = nullptr;

    EXPECT_EQ(launch(0, 1, stream.handle, add, none, 0, 0), cudaErrorInvalidConfiguration);
    EXPECT_EQ(launch(1, 1025, stream.handle, add, none, 0, 0), cudaErrorInvalidConfiguration);
    EXPECT_EQ(launch(1, dim3(32, 33), stream.handle, add, none, 0, 0), cudaErrorInvalidConfiguration);
    EXPECT_EQ(launch(dim3(1, 65536), 1, stream.handle, add, none, 0, 0), cudaErrorInvalidConfiguration);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
}

TEST(CudaEmulation, KernelsHaveAttributesAndOccupancy) {
    cudaFuncAttributes attributes;
    int n_blocks = 0;

    EXPECT_OK(cudaFuncGetAttributes(&attributes, add));
    EXPECT_OK(cudaFuncSetAttribute(add, cudaFuncAttributePreferredSharedMemoryCarveout, 50));
    EXPECT_OK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&n_blocks, add, 288, 0));

    EXPECT_EQ(attributes.maxThreadsPerBlock, 1024);
    EXPECT_EQ(n_blocks, 3);
    EXPECT_STREQ(cudaGetErrorName(cudaErrorMemoryAllocation), "cudaErrorMemoryAllocation");
    EXPECT_STREQ(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
}

TEST(CudaEmulation, HostThreadsTakeTurns) {
    std::vector<std::thread> threads;
    std::vector<int> results(4);

    for (std::size_t t = 0; t < results.size(); ++t)
        threads.emplace_back([t, &results] {
            Stream stream;
            const Buffer<int> device(std::vector<int>(40, static_cast<int>(t)));
            for (int i = 0; i < 20; ++i) EXPECT_OK(launch(1, 64, stream.handle, add, device.data, 40, 1));
            stream.wait();
            results[t] = device.read()[39];
        });
    for (std::thread& thread : threads) thread.join();

    EXPECT_EQ(results, (std::vector<int>{20, 21, 22, 23}));
}

__global__ void meet_often(int n, float* out) {
    using Tile = float[288];
    RASTERTIDE_SHARED(Tile, tile);
    float sum = 0;
    for (int i = 0; i < n; ++i) {
        tile[threadIdx.x] = static_cast<float>(i);
        __syncthreads();
        sum += tile[(threadIdx.x + 1) % 288];
        __syncthreads();
    }
    out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

TEST(CudaEmulation, BarriersAreCheap) {
    constexpr int kSteps = 100, kBlocks = 4, kThreads = 288;
    const Buffer<float> out(kBlocks * kThreads);

    const auto begin = std::chrono::steady_clock::now();
    run(kBlocks, kThreads, meet_often, kSteps, out.data);
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;

    EXPECT_EQ(out.read(), std::vector<float>(kBlocks * kThreads, kSteps * (kSteps - 1) / 2));
    RecordProperty("ns_per_switch", static_cast<int>(time.count() / (kBlocks * kThreads * 2.0 * kSteps)));
}

}  // namespace
