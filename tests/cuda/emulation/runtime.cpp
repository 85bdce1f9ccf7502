// SPDX-License-Identifier: Apache-2.0
// Devices, memory, streams and events. Work on a stream is queued, and done only when something waits for it:
// a host that reads too early, or changes a buffer too early, then gets wrong results every time.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "internal.hpp"

struct CUstream_st {
    bool blocking = false;  // ordered with the default stream
    std::deque<std::function<void()>> queue;
    std::uint64_t n_queued = 0, n_done = 0;
};

namespace rastertide_emulation {
namespace {

using Stream = CUstream_st;

/// A point in a stream; done if the stream is gone, because a stream finishes its work before it goes.
struct Mark {
    std::weak_ptr<Stream> stream;
    std::uint64_t n = 0;
    std::shared_ptr<std::chrono::steady_clock::time_point> time;
};

struct Allocation {
    std::size_t bytes;
    int device;
};

struct Pinned {
    std::size_t bytes;
    bool registered;  // or allocated
};

struct Runtime {
    std::recursive_mutex mutex;
    std::map<std::uintptr_t, Allocation> memory;
    std::map<const void*, Pinned> pinned;
    std::map<Stream*, std::shared_ptr<Stream>> streams;
    std::shared_ptr<Stream> default_stream = std::make_shared<Stream>();
    std::string fault;  // the text that n_launches counts for
    std::uint64_t n_launches = 0;
    bool lost = false;
};

Runtime& runtime() {
    static Runtime* const the_one = new Runtime;
    return *the_one;
}

thread_local cudaError_t last_error = cudaSuccess;
thread_local int current_device = 0;

long long environment(const char* name, long long otherwise) {
    const char* const text = std::getenv(name);
    return text && *text ? std::strtoll(text, nullptr, 10) : otherwise;
}

int n_devices() { return static_cast<int>(environment("RASTERTIDE_EMULATION_DEVICES", 1)); }
std::size_t device_bytes() {
    return static_cast<std::size_t>(environment("RASTERTIDE_EMULATION_MEMORY", 1LL << 30));
}

cudaError_t availability(Runtime& r) {
    const int n = n_devices();
    if (n < 0) return cudaErrorInsufficientDriver;
    if (n == 0) return cudaErrorNoDevice;
    const char* const text = std::getenv("RASTERTIDE_EMULATION_FAIL_LAUNCH");
    if (r.fault != (text ? text : "")) {
        r.fault = text ? text : "";
        r.n_launches = 0;
        r.lost = false;
    }
    return r.lost ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t noted(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

/// Every function of the API: one thread at a time, and only with a device that works.
template <typename Function>
cudaError_t call(Function function) {
    Runtime& r = runtime();
    const std::lock_guard lock(r.mutex);
    const cudaError_t error = availability(r);
    return noted(error != cudaSuccess ? error : function(r));
}

std::shared_ptr<Stream> find(Runtime& r, cudaStream_t stream) {
    if (!stream) return r.default_stream;
    const auto found = r.streams.find(stream);
    if (found == r.streams.end()) fail("%p is no stream: was it destroyed?", static_cast<void*>(stream));
    return found->second;
}

void run_until(Stream& stream, std::uint64_t n) {
    while (stream.n_done < n) {
        const std::function<void()> work = std::move(stream.queue.front());
        stream.queue.pop_front();
        work();
        ++stream.n_done;
    }
}

void finish(Stream& stream) { run_until(stream, stream.n_queued); }

void wait_for(const Mark& mark) {
    if (const std::shared_ptr<Stream> stream = mark.stream.lock()) run_until(*stream, mark.n);
}

void push(Stream& stream, std::function<void()> work) {
    stream.queue.push_back(std::move(work));
    ++stream.n_queued;
}

/// The default stream and the blocking ones wait for each other.
void enqueue(Runtime& r, cudaStream_t to, std::function<void()> work) {
    const std::shared_ptr<Stream> stream = find(r, to);
    const auto after = [&](const std::shared_ptr<Stream>& other) {
        if (other->n_done < other->n_queued)
            push(*stream, [mark = Mark{other, other->n_queued, nullptr}] { wait_for(mark); });
    };
    if (stream->blocking) after(r.default_stream);
    if (stream == r.default_stream)
        for (const auto& [handle, other] : r.streams)
            if (other->blocking) after(other);
    push(*stream, std::move(work));
}

void finish_all(Runtime& r) {
    finish(*r.default_stream);
    for (const auto& [handle, stream] : r.streams) finish(*stream);
}

void forget_work(Runtime& r) {
    const auto forget = [](Stream& stream) {
        stream.queue.clear();
        stream.n_done = stream.n_queued;
    };
    forget(*r.default_stream);
    for (const auto& [handle, stream] : r.streams) forget(*stream);
}

std::map<std::uintptr_t, Allocation>::const_iterator allocation_of(const Runtime& r, std::uintptr_t address) {
    auto found = r.memory.upper_bound(address);
    if (found == r.memory.begin()) return r.memory.end();
    --found;
    return address < found->first + found->second.bytes ? found : r.memory.end();
}

void check_device(const Runtime& r, const void* pointer, std::size_t bytes, const char* what) {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const auto found = allocation_of(r, address);
    if (found == r.memory.end()) fail("%s: %p is not in device memory", what, pointer);
    const std::size_t left = found->second.bytes - (address - found->first);
    if (bytes > left)
        fail("%s: %zu bytes at %p reach %zu beyond the device memory there", what, bytes, pointer,
             bytes - left);
}

void check_host(const Runtime& r, const void* pointer, const char* what) {
    if (!pointer) fail("%s: null", what);
    if (allocation_of(r, reinterpret_cast<std::uintptr_t>(pointer)) != r.memory.end())
        fail("%s: %p is device memory where host memory is said to be", what, pointer);
}

/// Boxes of bytes, as cudaMemcpy3D has them: rows of `width`, `height` rows `pitch` apart, planes `plane`
/// apart.
struct Copy {
    char* to;
    std::size_t to_pitch, to_plane;
    const char* from;
    std::size_t from_pitch, from_plane;
    std::size_t width, height, depth;
    cudaMemcpyKind kind;
    const char* name;

    bool empty() const { return width == 0 || height == 0 || depth == 0; }

    void check(const Runtime& r) const {
        const auto span = [&](std::size_t pitch, std::size_t plane) {
            return (depth - 1) * plane + (height - 1) * pitch + width;
        };
        const auto side = [&](const char* pointer, std::size_t bytes, bool on_device, const char* end) {
            const std::string what = std::string(name) + ", " + end;
            if (on_device)
                check_device(r, pointer, bytes, what.c_str());
            else
                check_host(r, pointer, what.c_str());
        };
        const auto guess = [&](const char* pointer) {
            return allocation_of(r, reinterpret_cast<std::uintptr_t>(pointer)) != r.memory.end();
        };
        const bool to_device = kind == cudaMemcpyDefault
                                   ? guess(to)
                                   : kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
        const bool from_device = kind == cudaMemcpyDefault
                                     ? guess(from)
                                     : kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
        side(to, span(to_pitch, to_plane), to_device, "destination");
        side(from, span(from_pitch, from_plane), from_device, "source");
    }

    void operator()() const {
        check(runtime());  // again: the memory may have been freed since
        for (std::size_t z = 0; z < depth; ++z)
            for (std::size_t y = 0; y < height; ++y)
                std::memcpy(to + z * to_plane + y * to_pitch, from + z * from_plane + y * from_pitch, width);
    }
};

cudaError_t enqueue_copy(const Copy& copy, cudaStream_t stream) {
    return call([&](Runtime& r) {
        if (copy.height > 1 && (copy.width > copy.to_pitch || copy.width > copy.from_pitch))
            return cudaErrorInvalidValue;
        if (copy.kind < cudaMemcpyHostToHost || copy.kind > cudaMemcpyDefault)
            return cudaErrorInvalidMemcpyDirection;
        find(r, stream);
        if (copy.empty()) return cudaSuccess;
        copy.check(r);
        enqueue(r, stream, copy);
        return cudaSuccess;
    });
}

Copy linear(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, const char* name) {
    return {static_cast<char*>(to),
            bytes,
            bytes,
            static_cast<const char*>(from),
            bytes,
            bytes,
            bytes,
            1,
            1,
            kind,
            name};
}

struct ErrorText {
    cudaError_t error;
    const char *name, *text;
};
#define RASTERTIDE_ERROR(name, text) \
    ErrorText { name, #name, text }
constexpr ErrorText kErrors[] = {
    RASTERTIDE_ERROR(cudaSuccess, "no error"),
    RASTERTIDE_ERROR(cudaErrorInvalidValue, "invalid argument"),
    RASTERTIDE_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    RASTERTIDE_ERROR(cudaErrorInitializationError, "initialization error"),
    RASTERTIDE_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    RASTERTIDE_ERROR(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    RASTERTIDE_ERROR(cudaErrorInsufficientDriver,
                     "CUDA driver version is insufficient for CUDA runtime version"),
    RASTERTIDE_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    RASTERTIDE_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    RASTERTIDE_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    RASTERTIDE_ERROR(cudaErrorNoKernelImageForDevice,
                     "no kernel image is available for execution on the device"),
    RASTERTIDE_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    RASTERTIDE_ERROR(cudaErrorNotReady, "device not ready"),
    RASTERTIDE_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    RASTERTIDE_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    RASTERTIDE_ERROR(cudaErrorHostMemoryAlreadyRegistered,
                     "part or all of the requested memory range is already mapped"),
    RASTERTIDE_ERROR(cudaErrorHostMemoryNotRegistered,
                     "pointer does not correspond to a registered memory region"),
    RASTERTIDE_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    RASTERTIDE_ERROR(cudaErrorUnknown, "unknown error"),
};
#undef RASTERTIDE_ERROR

constexpr std::size_t kSharedPerSm = 64 << 10;  // compute capability 7.5, the least that the product supports
constexpr int kThreadsPerSm = 1024, kBlocksPerSm = 16, kThreadsPerBlock = 1024;

}  // namespace

cudaError_t enqueue_work(cudaStream_t stream, std::function<void()> work) {
    return call([&](Runtime& r) {
        enqueue(r, stream, std::move(work));
        return cudaSuccess;
    });
}

cudaError_t launch(const cudaLaunchConfig_t& config, std::function<void()> thread) {
    return call([&](Runtime& r) {
        const dim3 grid = config.gridDim, block = config.blockDim;
        if (config.dynamicSmemBytes != 0 || config.numAttrs != 0)
            fail("dynamic shared memory and launch attributes are not emulated");
        if (grid.x == 0 || grid.y == 0 || grid.z == 0 || block.x == 0 || block.y == 0 || block.z == 0 ||
            block.x > 1024 || block.y > 1024 || block.z > 64 ||
            block.x * block.y * block.z > unsigned{kThreadsPerBlock} || grid.x > INT32_MAX ||
            grid.y > 65535 || grid.z > 65535)
            return cudaErrorInvalidConfiguration;
        ++r.n_launches;
        if (const long long n = environment("RASTERTIDE_EMULATION_FAIL_LAUNCH", 0);
            n > 0 && r.n_launches >= static_cast<std::uint64_t>(n)) {
            r.lost = true;
            forget_work(r);
            return cudaErrorLaunchFailure;
        }
        enqueue(r, config.stream, [grid, block, body = std::move(thread)] { run_grid(grid, block, body); });
        return cudaSuccess;
    });
}

void check_kernel_argument(const void* pointer) {
    Runtime& r = runtime();
    const std::lock_guard lock(r.mutex);
    if (!pointer || allocation_of(r, reinterpret_cast<std::uintptr_t>(pointer)) != r.memory.end()) return;
    for (const auto& [begin, memory] : r.pinned)
        if (pointer >= begin && pointer < static_cast<const char*>(begin) + memory.bytes) return;
    fail("argument of a kernel: %p is neither device nor pinned memory", pointer);
}

cudaError_t set_function_attribute(cudaFuncAttribute attribute, int value) {
    return call([&](Runtime&) {
        const bool fits = attribute == cudaFuncAttributeMaxDynamicSharedMemorySize
                              ? value >= 0 && value <= int{kSharedPerSm}
                              : value >= -1 && value <= 100;
        return fits ? cudaSuccess : cudaErrorInvalidValue;
    });
}

cudaError_t function_attributes(cudaFuncAttributes* attributes) {
    return call([&](Runtime&) {
        *attributes = {};
        attributes->maxThreadsPerBlock = kThreadsPerBlock;
        attributes->numRegs = 32;
        attributes->ptxVersion = attributes->binaryVersion = 75;
        return cudaSuccess;
    });
}

cudaError_t occupancy(int* blocks, int threads, std::size_t) {
    return call([&](Runtime&) {
        if (threads < 1 || threads > kThreadsPerBlock) return cudaErrorInvalidValue;
        *blocks = std::min(kBlocksPerSm, kThreadsPerSm / ((threads + 31) / 32 * 32));
        return cudaSuccess;
    });
}

}  // namespace rastertide_emulation

using namespace rastertide_emulation;

struct CUevent_st {
    Mark mark;
    bool timed = true;
};

const char* cudaGetErrorName(cudaError_t error) {
    for (const ErrorText& known : kErrors)
        if (known.error == error) return known.name;
    return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
    for (const ErrorText& known : kErrors)
        if (known.error == error) return known.text;
    return "unrecognized error code";
}

cudaError_t cudaPeekAtLastError() {
    const std::lock_guard lock(runtime().mutex);
    const cudaError_t error = availability(runtime());
    return error == cudaErrorLaunchFailure ? error : last_error;
}

cudaError_t cudaGetLastError() {
    const cudaError_t error = cudaPeekAtLastError();
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = n_devices() < 0 ? 0 : 13000;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
    return call([&](Runtime&) {
        *count = n_devices();
        return cudaSuccess;
    });
}

cudaError_t cudaSetDevice(int device) {
    return call([&](Runtime&) {
        if (device < 0 || device >= n_devices()) return cudaErrorInvalidDevice;
        current_device = device;
        return cudaSuccess;
    });
}

cudaError_t cudaGetDevice(int* device) {
    return call([&](Runtime&) {
        *device = current_device;
        return cudaSuccess;
    });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    return call([&](Runtime&) {
        if (device < 0 || device >= n_devices()) return cudaErrorInvalidDevice;
        *properties = {};
        std::strcpy(properties->name, "Rastertide emulation");
        properties->totalGlobalMem = device_bytes();
        properties->sharedMemPerBlock = 48 << 10;
        properties->sharedMemPerBlockOptin = properties->sharedMemPerMultiprocessor = kSharedPerSm;
        properties->regsPerBlock = properties->regsPerMultiprocessor = 64 << 10;
        properties->warpSize = 32;
        properties->maxThreadsPerBlock = kThreadsPerBlock;
        properties->maxThreadsPerMultiProcessor = kThreadsPerSm;
        properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
        properties->maxThreadsDim[2] = 64;
        properties->maxGridSize[0] = INT32_MAX;
        properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
        properties->major = 7;
        properties->minor = 5;
        properties->multiProcessorCount = 2;
        properties->l2CacheSize = 4 << 20;
        properties->memoryBusWidth = 256;
        properties->asyncEngineCount = 2;
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    return call([&](Runtime&) {
        if (device < 0 || device >= n_devices()) return cudaErrorInvalidDevice;
        if (attribute != cudaDevAttrClockRate) return cudaErrorInvalidValue;
        *value = 1000000;  // kHz
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceSynchronize() {
    return call([](Runtime& r) {
        finish_all(r);
        return cudaSuccess;
    });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    return call([&](Runtime& r) {
        std::size_t used = 0;
        for (const auto& [address, allocation] : r.memory)
            if (allocation.device == current_device) used += allocation.bytes;
        *total = device_bytes();
        *free = *total - std::min(*total, used);
        return cudaSuccess;
    });
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
    return call([&](Runtime& r) {
        *pointer = nullptr;
        if (bytes == 0) return cudaSuccess;
        std::size_t free = 0, total = 0;
        cudaMemGetInfo(&free, &total);
        if (bytes > free || posix_memalign(pointer, 256, bytes) != 0) return cudaErrorMemoryAllocation;
        std::memset(*pointer, 0xFF, bytes);
        r.memory[reinterpret_cast<std::uintptr_t>(*pointer)] = {bytes, current_device};
        return cudaSuccess;
    });
}

// What is freed is freed on a lost device too: tests look for leaks.
cudaError_t cudaFree(void* pointer) {
    Runtime& r = runtime();
    const std::lock_guard lock(r.mutex);
    const cudaError_t error = availability(r);
    if (pointer) {
        const auto found = r.memory.find(reinterpret_cast<std::uintptr_t>(pointer));
        if (found == r.memory.end()) fail("cudaFree: %p is not the begin of device memory", pointer);
        if (error == cudaSuccess) finish_all(r);
        r.memory.erase(found);
        std::free(pointer);
    }
    return noted(error);
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) {
    return call([&](Runtime& r) {
        *pointer = nullptr;
        if (bytes == 0) return cudaSuccess;
        if (posix_memalign(pointer, 256, bytes) != 0) return cudaErrorMemoryAllocation;
        std::memset(*pointer, 0xFF, bytes);
        r.pinned[*pointer] = {bytes, false};
        return cudaSuccess;
    });
}

cudaError_t cudaFreeHost(void* pointer) {
    Runtime& r = runtime();
    const std::lock_guard lock(r.mutex);
    const cudaError_t error = availability(r);
    if (pointer) {
        const auto found = r.pinned.find(pointer);
        if (found == r.pinned.end() || found->second.registered)
            fail("cudaFreeHost: %p is not the begin of pinned memory", pointer);
        if (error == cudaSuccess) finish_all(r);
        r.pinned.erase(found);
        std::free(pointer);
    }
    return noted(error);
}

cudaError_t cudaHostRegister(void* pointer, std::size_t bytes, unsigned) {
    return call([&](Runtime& r) {
        if (!pointer || bytes == 0) return cudaErrorInvalidValue;
        return r.pinned.emplace(pointer, Pinned{bytes, true}).second ? cudaSuccess
                                                                     : cudaErrorHostMemoryAlreadyRegistered;
    });
}

cudaError_t cudaHostUnregister(void* pointer) {
    return call([&](Runtime& r) {
        const auto found = r.pinned.find(pointer);
        if (found == r.pinned.end() || !found->second.registered) return cudaErrorHostMemoryNotRegistered;
        r.pinned.erase(found);
        return cudaSuccess;
    });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    return enqueue_copy(linear(to, from, bytes, kind, "cudaMemcpyAsync"), stream);
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    const cudaError_t error = enqueue_copy(linear(to, from, bytes, kind, "cudaMemcpy"), nullptr);
    return error != cudaSuccess ? error : cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
    return enqueue_copy({static_cast<char*>(to), to_pitch, 0, static_cast<const char*>(from), from_pitch, 0,
                         width, height, 1, kind, "cudaMemcpy2DAsync"},
                        stream);
}

cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* parameters, cudaStream_t stream) {
    const cudaMemcpy3DParms& p = *parameters;
    if (p.srcArray || p.dstArray) fail("cudaMemcpy3DAsync: arrays are not emulated");
    const auto begin = [](const cudaPitchedPtr& box, const cudaPos& at) {
        return static_cast<char*>(box.ptr) + at.z * box.pitch * box.ysize + at.y * box.pitch + at.x;
    };
    const std::size_t to_plane = p.dstPtr.pitch * p.dstPtr.ysize,
                      from_plane = p.srcPtr.pitch * p.srcPtr.ysize;
    const auto inside = [&](const cudaPitchedPtr& box, const cudaPos& at) {
        return at.x + p.extent.width <= box.pitch &&
               (p.extent.depth <= 1 || at.y + p.extent.height <= box.ysize);
    };
    if (!inside(p.dstPtr, p.dstPos) || !inside(p.srcPtr, p.srcPos)) return noted(cudaErrorInvalidValue);
    return enqueue_copy(
        {begin(p.dstPtr, p.dstPos), p.dstPtr.pitch, to_plane, begin(p.srcPtr, p.srcPos), p.srcPtr.pitch,
         from_plane, p.extent.width, p.extent.height, p.extent.depth, p.kind, "cudaMemcpy3DAsync"},
        stream);
}

cudaError_t cudaMemsetAsync(void* pointer, int value, std::size_t bytes, cudaStream_t stream) {
    return call([&](Runtime& r) {
        if (bytes == 0) return cudaSuccess;
        check_device(r, pointer, bytes, "cudaMemsetAsync");
        enqueue(r, stream, [=] {
            check_device(runtime(), pointer, bytes, "cudaMemsetAsync");
            std::memset(pointer, value, bytes);
        });
        return cudaSuccess;
    });
}

cudaError_t cudaMemset(void* pointer, int value, std::size_t bytes) {
    const cudaError_t error = cudaMemsetAsync(pointer, value, bytes, nullptr);
    return error != cudaSuccess ? error : cudaStreamSynchronize(nullptr);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
    return call([&](Runtime& r) {
        const auto made = std::make_shared<Stream>();
        made->blocking = flags != cudaStreamNonBlocking;
        *stream = made.get();
        r.streams[made.get()] = made;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    Runtime& r = runtime();
    const std::lock_guard lock(r.mutex);
    const cudaError_t error = availability(r);
    const std::shared_ptr<Stream> found = find(r, stream);
    if (found == r.default_stream) return noted(cudaErrorInvalidResourceHandle);
    if (error == cudaSuccess) finish(*found);
    r.streams.erase(stream);
    return noted(error);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    return call([&](Runtime& r) {
        if (!stream)
            for (const auto& [handle, other] : r.streams)
                if (other->blocking) finish(*other);
        finish(*find(r, stream));
        return cudaSuccess;
    });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    return call([&](Runtime& r) {
        enqueue(r, stream, [mark = event->mark] { wait_for(mark); });
        return cudaSuccess;
    });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
    return call([&](Runtime&) {
        *event = new CUevent_st{{}, (flags & cudaEventDisableTiming) == 0};
        return cudaSuccess;
    });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    return call([](Runtime&) { return cudaSuccess; });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    return call([&](Runtime& r) {
        const auto time = std::make_shared<std::chrono::steady_clock::time_point>();
        enqueue(r, stream, [time] { *time = std::chrono::steady_clock::now(); });
        const std::shared_ptr<Stream> found = find(r, stream);
        event->mark = {found, found->n_queued, time};
        return cudaSuccess;
    });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    return call([&](Runtime&) {
        wait_for(event->mark);
        return cudaSuccess;
    });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
    return call([&](Runtime&) {
        if (!begin->timed || !end->timed || !begin->mark.time || !end->mark.time)
            return cudaErrorInvalidResourceHandle;
        const std::chrono::steady_clock::time_point none;
        if (*begin->mark.time == none || *end->mark.time == none) return cudaErrorNotReady;
        *milliseconds = std::chrono::duration<float, std::milli>(*end->mark.time - *begin->mark.time).count();
        return cudaSuccess;
    });
}
