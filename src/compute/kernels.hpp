// SPDX-License-Identifier: Apache-2.0
// Every kernel, declared once for every backend. dispatch.cpp picks; arguments are validated before they come
// here.
#pragma once

#include <cstdint>
#include <string_view>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/lof.hpp>
#include <rastertide/compute/patch_memory.hpp>

namespace rastertide {

namespace dispatch {
void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
         const ComputeOptions& options);
std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               const ComputeOptions& options);
std::int64_t lof_block_rows(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                            const ComputeOptions& options);
void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, const ComputeOptions& options);
std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, const ComputeOptions& options);
void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     const ComputeOptions& options);
}  // namespace dispatch

namespace reference {
void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores, int n_threads);
std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               int n_threads);
void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, int n_threads);
std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, int n_threads);
void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     int n_threads);
}  // namespace reference

namespace cpu {
void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores, int n_threads);
std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               int n_threads);
std::int64_t lof_block_rows(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params);

void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, int n_threads);
std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, int n_threads);
void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     int n_threads);
}  // namespace cpu

/// The kernels of librastertide_cuda.so. @param options  its device, modulo their number, and threads for
/// copies
/// @throws DeviceError         with memory, sums and what else is added to as they were
/// @throws BackendUnavailable  no module, or no device
namespace cuda {

/// What the module may keep in the host's memory beside a tile: page-locked buffers that its copies go
/// through.
inline constexpr std::int64_t kHostScratchBytes = std::int64_t{192} << 20;

void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
         const ComputeOptions& options);
void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, const ComputeOptions& options);
std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, const ComputeOptions& options);
void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     const ComputeOptions& options);
}  // namespace cuda

}  // namespace rastertide
