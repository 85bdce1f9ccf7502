// SPDX-License-Identifier: Apache-2.0
// The kernels by a device: calls of the module with what is the library's own.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <rastertide/core/error.hpp>

#include "compute/cpu/kmeans_rows.hpp"
#include "compute/cuda/load_module.hpp"
#include "compute/kernels.hpp"

namespace rastertide::cuda {
namespace {

/// A device of this process. It is opened by the first call, and stays open.
struct Device {
    std::mutex mutex;  ///< a session is one thread's at a time
    Session* session = nullptr;
};

/// Sessions are not closed: at exit the driver may be gone before them, and the system takes all back anyway.
Device& device_of(int number) {
    static std::mutex mutex;
    static auto& devices = *new std::map<int, Device>();
    const std::scoped_lock lock(mutex);
    return devices[number];
}

[[noreturn]] void fail(int device, const Outcome& outcome) {
    const bool out_of_memory = outcome.status == Status::OutOfMemory;
    const char* name = loaded_module().devices[static_cast<std::size_t>(device)].name;
    throw DeviceError(device,
                      "device " + std::to_string(device) + " (" + name + "): " +
                          (*outcome.text != '\0' ? outcome.text
                           : out_of_memory       ? "out of memory"
                                                 : "failed"),
                      out_of_memory);
}

/// @throws BackendUnavailable  no module, or no device
void check_device() {
    if (loaded_module().module == nullptr)
        throw BackendUnavailable("the cuda backend: " + loaded_module().why_not);
}

/// Runs call(module, session, outcome) on a device. @throws DeviceError
template <class Call>
void on_device(const ComputeOptions& options, Call call) {
    check_device();
    if (options.device < 0)
        throw InvalidArgument("device is " + std::to_string(options.device) + ", must be at least 0");
    const LoadedModule& loaded = loaded_module();
    const int device = options.device % static_cast<int>(loaded.devices.size());
    Device& used = device_of(device);
    const std::scoped_lock lock(used.mutex);
    Outcome outcome;
    if (used.session == nullptr) used.session = loaded.module->open(device, outcome);
    if (used.session == nullptr && outcome.status == Status::Ok) outcome.status = Status::Failed;
    if (outcome.status != Status::Ok) fail(device, outcome);
    loaded.module->use_threads(used.session, options.n_threads);
    call(*loaded.module, used.session, outcome);
    if (outcome.status != Status::Ok) fail(device, outcome);
}

AssignTask make_task(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                     float level) {
    AssignTask task;
    task.pixels = pixels;
    task.patch_size = centers.patch_size;
    task.n_clusters = centers.n_clusters;
    task.centers = centers.values.data();
    task.level = level;
    task.fixed = fixed;
    return task;
}

void add_to(AssignTask& task, PatchSums& sums) {
    task.counts = &sums.count(0);
    task.sums = sums.sums(0).data();
}

void assign(AssignTask& task, const ComputeOptions& options) {
    on_device(options, [&](const Module& module, Session* session, Outcome& outcome) {
        module.assign(session, task, outcome);
    });
}

/// The pixels of a tile on a device, from the first pass over it to the end of its memory.
class DeviceTile {
  public:
    explicit DeviceTile(int device) : device_(device), number_(++last_number) {}
    DeviceTile(const DeviceTile&) = delete;
    DeviceTile& operator=(const DeviceTile&) = delete;
    ~DeviceTile() {
        Device& used = device_of(device_ % static_cast<int>(loaded_module().devices.size()));
        const std::scoped_lock lock(used.mutex);
        if (used.session != nullptr) loaded_module().module->forget(used.session, number_);
    }
    std::uint64_t number() const { return number_; }

  private:
    inline static std::atomic<std::uint64_t> last_number = 0;
    int device_;
    std::uint64_t number_;
};

std::uint64_t tile_number(PatchMemory& memory, int device) {
    if (memory.device_tile() == nullptr) memory.device_tile() = std::make_shared<DeviceTile>(device);
    return static_cast<const DeviceTile*>(memory.device_tile().get())->number();
}

std::int64_t n_patches(const PatchMemory& memory) {
    return memory.n_dates() * memory.n_rows() * memory.n_cols();
}

/// Labels of the last pass, for a pass that may fail.
template <class Label>
std::vector<Label> copy_of(const Label* labels, std::int64_t n) {
    return labels == nullptr ? std::vector<Label>() : std::vector<Label>(labels, labels + n);
}

}  // namespace

void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
         const ComputeOptions& options) {
    if (params.neighbors > kMostNeighbors) {
        throw InvalidArgument("neighbors is " + std::to_string(params.neighbors) + ", at most " +
                              std::to_string(kMostNeighbors) + " with the cuda backend");
    }
    on_device(options, [&](const Module& module, Session* session, Outcome& outcome) {
        module.lof(session, pixels, params, scores, outcome);
    });
}

void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, const ComputeOptions& options) {
    AssignTask task = make_task(pixels, centers, fixed, cpu::label_level(centers));
    task.labels = labels;
    if (sums == nullptr) return assign(task, options);
    PatchSums own(centers.n_clusters, centers.n_features());
    add_to(task, own);
    assign(task, options);
    sums->merge(own);
}

std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, const ComputeOptions& options) {
    AssignTask task = make_task(pixels, centers, fixed, cpu::label_level(centers));
    check_device();
    task.tile = tile_number(memory, options.device);
    // A call that fails leaves anything behind, and another backend goes on with the memory and the sums.
    std::vector<std::uint8_t> narrow = copy_of(memory.narrow_labels(), n_patches(memory));
    std::vector<std::uint16_t> wide = copy_of(memory.wide_labels(), n_patches(memory));
    PatchSums moves(centers.n_clusters, centers.n_features());
    task.narrow_labels = narrow.empty() ? nullptr : narrow.data();
    task.wide_labels = wide.empty() ? nullptr : wide.data();
    add_to(task, moves);
    assign(task, options);
    std::copy(narrow.begin(), narrow.end(), memory.narrow_labels());
    std::copy(wide.begin(), wide.end(), memory.wide_labels());
    sums.merge(moves);
    memory.forget_margins();  // those of labels that have changed
    memory.count_pass();
    return task.n_changed;
}

void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     const ComputeOptions& options) {
    const AssignTask task = make_task(pixels, centers, {}, cpu::distance_level(centers));
    on_device(options, [&](const Module& module, Session* session, Outcome& outcome) {
        module.distances(session, task, distances, outcome);
    });
}

}  // namespace rastertide::cuda
