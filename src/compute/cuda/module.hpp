// SPDX-License-Identifier: Apache-2.0
// What librastertide_cuda.so offers. It is opened when it is asked for, and shares no code with the library:
// plain structs, tables of functions and texts cross this line, no exceptions and no containers.
#pragma once

#include <cstddef>
#include <cstdint>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/lof.hpp>
#include <rastertide/reduce/patch_sums.hpp>

namespace rastertide::cuda {

/// Raised with every change of this file: a module of another version is not used.
inline constexpr int kModuleVersion = 1;

enum class Status : int {
    Ok,
    OutOfMemory,  ///< of the device, even for the smallest part of a tile
    Failed        ///< the device or its driver; it may be lost
};

/// The module's search for neighbours keeps no more in registers.
inline constexpr int kMostNeighbors = 64;

/// How a call ended. Where it is not Ok, its results are undefined.
struct Outcome {
    Status status = Status::Ok;
    char text[400] = {};  ///< what failed, where: "cudaMalloc of 1048576 bytes: out of memory"
};

/// One device as one thread at a time uses it: streams, and buffers that are kept from call to call.
struct Session;

struct DeviceFacts {
    char name[128] = {};  ///< "NVIDIA H100 PCIe"
    int major = 0, minor = 0;
    std::int64_t total_bytes = 0;
};

/// One pass over the patches of a tile; see assign_patches() and reassign_patches(). Where it fails, the
/// labels of the last pass and the sums are as they were.
struct AssignTask {
    PixelStack pixels;
    int patch_size = 0;
    std::int64_t n_clusters = 0;
    const double* centers = nullptr;  ///< [n_clusters][n_bands][p][p]
    float level = 0;                  ///< that scores are computed relative to
    FixedPoint fixed;
    LabelStack labels;  ///< out, or null
    std::uint8_t* narrow_labels =
        nullptr;  ///< [n_dates][rows][cols]: labels of the last pass in, new ones out
    std::uint16_t* wide_labels = nullptr;  ///< the same for more than 254 clusters; at most one is not null
    std::int64_t* counts = nullptr;        ///< [n_clusters], added to; null with `sums`: no sums
    std::int64_t* sums = nullptr;          ///< [n_clusters][n_features], added to
    std::int64_t n_changed = 0;            ///< out, where labels of the last pass came in
    /// Names the pixels: a task of the same number has the same ones, and their copy stays on the device if
    /// there is room, until forget(). 0: they are not kept.
    std::uint64_t tile = 0;
};

struct Module {
    int version = 0;

    /// Devices that can be used; 0 with a reason in `outcome` (no driver, none visible).
    int (*count_devices)(Outcome& outcome) = nullptr;
    void (*describe_device)(int device, DeviceFacts& facts, Outcome& outcome) = nullptr;

    Session* (*open)(int device, Outcome& outcome) = nullptr;  ///< null if it fails
    void (*close)(Session* session) = nullptr;
    /// Threads for copies within the host's memory from now on; 0: all cores that the process may use.
    void (*use_threads)(Session* session, int n_threads) = nullptr;

    void (*lof)(Session* session, const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
                Outcome& outcome) = nullptr;
    void (*assign)(Session* session, AssignTask& task, Outcome& outcome) = nullptr;
    void (*distances)(Session* session, const AssignTask& task, const ScoreStack& distances,
                      Outcome& outcome) = nullptr;
    /// Frees what is kept of a tile, if anything is.
    void (*forget)(Session* session, std::uint64_t tile) = nullptr;
};

/// The one symbol of the module.
inline constexpr const char* kModuleSymbol = "rastertide_cuda_module";
using ModuleFunction = const Module* (*)();

}  // namespace rastertide::cuda
