// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include <rastertide/core/backend.hpp>
#include <rastertide/core/error.hpp>

#include "compute/cuda/load_module.hpp"
#include "compute/kernels.hpp"

namespace rastertide {

std::string_view to_string(Backend backend) {
    switch (backend) {
        case Backend::Auto:
            return "auto";
        case Backend::Reference:
            return "reference";
        case Backend::Cpu:
            return "cpu";
        case Backend::Cuda:
            return "cuda";
    }
    throw InternalError("unknown Backend");
}

Backend parse_backend(std::string_view word) {
    for (const Backend backend : {Backend::Auto, Backend::Reference, Backend::Cpu, Backend::Cuda}) {
        if (word == to_string(backend)) return backend;
    }
    throw InvalidArgument("unknown backend '" + std::string(word) +
                          "', must be auto, reference, cpu or cuda");
}

std::vector<Backend> available_backends() {
    std::vector<Backend> backends = {Backend::Cpu, Backend::Reference};
    if (why_no_cuda().empty()) backends.insert(backends.begin(), Backend::Cuda);
    return backends;
}

const std::vector<DeviceInfo>& cuda_devices() {
    static const std::vector<DeviceInfo> devices = [] {
        std::vector<DeviceInfo> found;
        for (const cuda::DeviceFacts& device : cuda::loaded_module().devices)
            found.push_back({device.name, device.major, device.minor, device.total_bytes});
        return found;
    }();
    return devices;
}

const std::string& why_no_cuda() { return cuda::loaded_module().why_not; }

bool has_cuda_module() { return cuda::loaded_module().is_there; }

Backend resolve_backend(Backend requested) {
    if (requested == Backend::Auto) {
        const char* word = std::getenv("RASTERTIDE_BACKEND");
        if (word != nullptr && *word != '\0') requested = parse_backend(word);
    }
    if (requested == Backend::Auto) return available_backends().front();
    if (requested == Backend::Cuda && !why_no_cuda().empty())
        throw BackendUnavailable("the cuda backend cannot be used: " + why_no_cuda());
    return requested;
}

namespace dispatch {
namespace {

/// Calls the computation of the backend that the options ask for; that of the CPU where the device has
/// failed.
template <class Reference, class Cpu, class Cuda>
auto pick(const ComputeOptions& options, Reference reference, Cpu cpu, Cuda cuda) {
    const Backend backend = resolve_backend(options.backend);
    if (backend == Backend::Reference) return reference();
    if (backend == Backend::Cpu) return cpu();
    if (options.fallback == nullptr) return cuda();
    if (!options.fallback->is_taken()) {
        try {
            return cuda();
        } catch (const DeviceError& error) {
            options.fallback->take(error);
        }
    }
    return cpu();
}

}  // namespace

void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
         const ComputeOptions& options) {
    // Beyond what the device's search keeps in registers, auto takes the CPU.
    const bool is_for_cpu = options.backend == Backend::Auto && params.neighbors > cuda::kMostNeighbors &&
                            resolve_backend(options.backend) == Backend::Cuda;
    if (is_for_cpu) return cpu::lof(pixels, params, scores, options.n_threads);
    pick(
        options, [&] { reference::lof(pixels, params, scores, options.n_threads); },
        [&] { cpu::lof(pixels, params, scores, options.n_threads); },
        [&] { cuda::lof(pixels, params, scores, options); });
}

std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               const ComputeOptions& options) {
    const Backend backend = resolve_backend(options.backend);
    if (backend == Backend::Reference)
        return reference::lof_scratch_bytes(n_dates, n_bands, params, options.n_threads);
    const std::int64_t of_cpu = cpu::lof_scratch_bytes(n_dates, n_bands, params, options.n_threads);
    if (backend == Backend::Cpu) return of_cpu;
    return cuda::kHostScratchBytes + (options.fallback != nullptr ? of_cpu : 0);
}

std::int64_t lof_block_rows(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                            const ComputeOptions& options) {
    // Those of the CPU also with a device: ranks that have none cut the same tiles, and share them.
    return resolve_backend(options.backend) == Backend::Reference
               ? 1
               : cpu::lof_block_rows(n_dates, n_bands, params);
}

void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, const ComputeOptions& options) {
    pick(
        options, [&] { reference::assign_patches(pixels, centers, fixed, labels, sums, options.n_threads); },
        [&] { cpu::assign_patches(pixels, centers, fixed, labels, sums, options.n_threads); },
        [&] { cuda::assign_patches(pixels, centers, fixed, labels, sums, options); });
}

std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, const ComputeOptions& options) {
    return pick(
        options,
        [&] { return reference::reassign_patches(pixels, centers, fixed, memory, sums, options.n_threads); },
        [&] { return cpu::reassign_patches(pixels, centers, fixed, memory, sums, options.n_threads); },
        [&] { return cuda::reassign_patches(pixels, centers, fixed, memory, sums, options); });
}

void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     const ComputeOptions& options) {
    pick(
        options, [&] { reference::patch_distances(pixels, centers, distances, options.n_threads); },
        [&] { cpu::patch_distances(pixels, centers, distances, options.n_threads); },
        [&] { cuda::patch_distances(pixels, centers, distances, options); });
}

}  // namespace dispatch
}  // namespace rastertide
