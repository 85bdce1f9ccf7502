// SPDX-License-Identifier: Apache-2.0
// Owners of what the CUDA runtime hands out. Buffers only grow, and are kept from call to call.
#pragma once

#include "compute/cuda/device.hpp"

namespace rastertide::cuda {

/// Memory of the device.
template <class T>
class DeviceBuffer {
  public:
    DeviceBuffer() = default;
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;
    ~DeviceBuffer() { clear(); }

    /// Room for n values. What was in it is lost if it has to grow. @throws CudaFailure
    T* reserve(std::int64_t n) {
        if (n <= size_) return data_;
        clear();
        const std::size_t n_bytes = static_cast<std::size_t>(n) * sizeof(T);
        void* data = nullptr;
        check(cudaMalloc(&data, n_bytes), "cudaMalloc of " + std::to_string(n_bytes) + " bytes");
        data_ = static_cast<T*>(data);
        size_ = n;
        return data_;
    }
    void clear() {
        if (data_ != nullptr) cudaFree(data_);
        data_ = nullptr;
        size_ = 0;
    }
    T* data() const { return data_; }

  private:
    T* data_ = nullptr;
    std::int64_t size_ = 0;
};

/// Memory of the host that copies go to and from while the host goes on.
template <class T>
class PinnedBuffer {
  public:
    PinnedBuffer() = default;
    PinnedBuffer(const PinnedBuffer&) = delete;
    PinnedBuffer& operator=(const PinnedBuffer&) = delete;
    ~PinnedBuffer() { clear(); }

    T* reserve(std::int64_t n) {
        if (n <= size_) return data_;
        clear();
        const std::size_t n_bytes = static_cast<std::size_t>(n) * sizeof(T);
        void* data = nullptr;
        check(cudaMallocHost(&data, n_bytes), "cudaMallocHost of " + std::to_string(n_bytes) + " bytes");
        data_ = static_cast<T*>(data);
        size_ = n;
        return data_;
    }
    T* data() const { return data_; }

  private:
    void clear() {
        if (data_ != nullptr) cudaFreeHost(data_);
        data_ = nullptr;
        size_ = 0;
    }
    T* data_ = nullptr;
    std::int64_t size_ = 0;
};

/// A queue of the device's work. Ends only after all of it.
class Stream {
  public:
    Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate"); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() {
        cudaStreamSynchronize(stream_);
        cudaStreamDestroy(stream_);
    }

    void wait() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }
    cudaStream_t get() const { return stream_; }

    template <class T>
    void upload(T* to, const T* from, std::int64_t n) const {
        check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(n) * sizeof(T), cudaMemcpyHostToDevice,
                              stream_),
              "copy to the device");
    }
    template <class T>
    void download(T* to, const T* from, std::int64_t n) const {
        check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(n) * sizeof(T), cudaMemcpyDeviceToHost,
                              stream_),
              "copy from the device");
    }
    /// All bytes 0.
    template <class T>
    void zero(T* data, std::int64_t n) const {
        check(cudaMemsetAsync(data, 0, static_cast<std::size_t>(n) * sizeof(T), stream_), "cudaMemset");
    }

  private:
    cudaStream_t stream_ = nullptr;
};

}  // namespace rastertide::cuda
