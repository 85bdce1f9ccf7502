// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include <rastertide/core/backend.hpp>
#include <rastertide/core/error.hpp>

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

std::vector<Backend> available_backends() { return {Backend::Cpu, Backend::Reference}; }

Backend resolve_backend(Backend requested) {
    if (requested == Backend::Auto) {
        const char* word = std::getenv("RASTERTIDE_BACKEND");
        if (word != nullptr && *word != '\0') requested = parse_backend(word);
    }
    if (requested == Backend::Cuda) {
        throw BackendUnavailable("the cuda backend is not part of this version");
    }
    return requested == Backend::Auto ? available_backends().front() : requested;
}

std::string_view simd_level() { return cpu::simd_level(); }

namespace dispatch {

void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
         const ComputeOptions& options) {
    if (resolve_backend(options.backend) == Backend::Reference) {
        reference::lof(pixels, params, scores, options.n_threads);
    } else {
        cpu::lof(pixels, params, scores, options.n_threads);
    }
}

std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               const ComputeOptions& options) {
    return resolve_backend(options.backend) == Backend::Reference
               ? reference::lof_scratch_bytes(n_dates, n_bands, params, options.n_threads)
               : cpu::lof_scratch_bytes(n_dates, n_bands, params, options.n_threads);
}

std::int64_t lof_block_rows(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                            const ComputeOptions& options) {
    return resolve_backend(options.backend) == Backend::Reference
               ? 1
               : cpu::lof_block_rows(n_dates, n_bands, params);
}

void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, const ComputeOptions& options) {
    if (resolve_backend(options.backend) == Backend::Reference) {
        reference::assign_patches(pixels, centers, fixed, labels, sums, options.n_threads);
    } else {
        cpu::assign_patches(pixels, centers, fixed, labels, sums, options.n_threads);
    }
}

std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, const ComputeOptions& options) {
    return resolve_backend(options.backend) == Backend::Reference
               ? reference::reassign_patches(pixels, centers, fixed, memory, sums, options.n_threads)
               : cpu::reassign_patches(pixels, centers, fixed, memory, sums, options.n_threads);
}

void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     const ComputeOptions& options) {
    if (resolve_backend(options.backend) == Backend::Reference) {
        reference::patch_distances(pixels, centers, distances, options.n_threads);
    } else {
        cpu::patch_distances(pixels, centers, distances, options.n_threads);
    }
}

}  // namespace dispatch
}  // namespace rastertide
