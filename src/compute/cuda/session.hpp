// SPDX-License-Identifier: Apache-2.0
// What one device keeps from call to call, and the calls.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "compute/cuda/cublas.hpp"
#include "compute/cuda/device_memory.hpp"

namespace rastertide::cuda {

/// Tiles go through the device in parts of about so many bytes of pixels: while it works on one, the host
/// fills the buffers of the next and empties those of the one before.
inline constexpr std::int64_t kStagingBytes = std::int64_t{32} << 20;

/// One of two sets of buffers.
struct Slot {
    Stream stream;
    PinnedBuffer<float> host_images, host_values;
    PinnedBuffer<unsigned short> host_labels, host_old_labels;
    PinnedBuffer<long long> host_sums;
    PinnedBuffer<unsigned long long> host_n_changed;

    DeviceBuffer<float> images, values;  ///< values: scores, or distances
    // Of LOF: see LofArrays.
    DeviceBuffer<float> minima, bounds, distances, k_distances, densities;
    DeviceBuffer<unsigned long long> found;
    DeviceBuffer<int> n_found;
    DeviceBuffer<unsigned short> dates, counts;
    // Of K-Means.
    DeviceBuffer<unsigned short> labels, old_labels;
    DeviceBuffer<unsigned> open;             ///< the number of OpenPatches, and their places
    DeviceBuffer<float> relative, products;  ///< of label_densely()
    DeviceBuffer<long long> sums;
    DeviceBuffer<unsigned long long> n_changed;

    /// Gives all device memory back.
    void clear() {
        for (DeviceBuffer<float>* buffer :
             {&images, &values, &minima, &bounds, &distances, &k_distances, &densities, &relative, &products})
            buffer->clear();
        for (DeviceBuffer<unsigned short>* buffer : {&dates, &counts, &labels, &old_labels}) buffer->clear();
        found.clear();
        n_found.clear();
        open.clear();
        sums.clear();
        n_changed.clear();
    }
};

/// Pixels of a tile that stay on the device from pass to pass.
struct KeptTile {
    DeviceBuffer<float> images;  ///< of all dates
    bool is_whole = false;       ///< all of them have been copied
};

struct Session {
    Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() {
        if (cublas != nullptr) Cublas::get()->destroy(cublas);
    }

    /// The thread that uses it next has its device. @throws CudaFailure
    void select() const { check(cudaSetDevice(device), "cudaSetDevice " + std::to_string(device)); }

    int device = 0;
    int n_threads = 1;  ///< for copies within the host's memory; 0: all cores
    std::array<Slot, 2> slots;
    DeviceBuffer<float> coefficients, half_norms;
    DeviceBuffer<double> exact_centers;
    DeviceBuffer<float> matrix;               ///< of centres, for cuBLAS
    void* cublas = nullptr;                   ///< its handle, once it is needed
    std::map<std::uint64_t, KeptTile> tiles;  ///< by AssignTask::tile
    bool may_keep_tiles = true;               ///< false: this call has run out of memory before
};

/// Goes through parts 0 .. n_parts - 1 of a tile in turn with the two slots.
/// @param send     (part, slot): fills host buffers and starts copies and kernels
/// @param receive  (part, slot): takes results from host buffers, after all of the slot's work
template <class Send, class Receive>
void for_each_part(Session& session, std::int64_t n_parts, Send send, Receive receive) {
    for (std::int64_t part = 0; part < n_parts + 2; ++part) {
        Slot& slot = session.slots[static_cast<std::size_t>(part % 2)];
        if (part >= 2) {
            slot.stream.wait();
            receive(part - 2, slot);
        }
        if (part < n_parts) send(part, slot);
    }
}

/// Runs a job in parts of `size` rows or dates. Where the device has too little memory, kept tiles give way
/// first, then parts become smaller.
/// @param job  (size). @throws CudaFailure  OutOfMemory if a part of `smallest` does not fit
template <class Job>
void in_parts_that_fit(Session& session, std::int64_t size, std::int64_t smallest, Job job) {
    session.may_keep_tiles = true;
    for (;;) {
        try {
            return job(size);
        } catch (const CudaFailure& failure) {
            for (Slot& slot : session.slots) {
                cudaStreamSynchronize(slot.stream.get());
                slot.clear();
            }
            const bool had_tiles = !session.tiles.empty();
            session.tiles.clear();
            session.may_keep_tiles = false;  // or the same tile would take the same memory again
            if (failure.status != Status::OutOfMemory || (size <= smallest && !had_tiles)) throw;
            if (!had_tiles) size = std::max(smallest, size / 2 / smallest * smallest);
        }
    }
}

/// Scores of a tile. @throws CudaFailure
void score_tile(Session& session, const PixelStack& pixels, const LofParams& params,
                const ScoreStack& scores);
/// Labels and sums of a tile. @throws CudaFailure
void assign_tile(Session& session, AssignTask& task);
/// Squared distances of a tile's patches to the nearest centre. @throws CudaFailure
void measure_tile(Session& session, const AssignTask& task, const ScoreStack& distances);

}  // namespace rastertide::cuda
