// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/compute/lof.hpp>
#include <rastertide/core/options.hpp>
#include <rastertide/reduce/patch_sums.hpp>

namespace rastertide {

inline constexpr std::int64_t kMaxClusters = 65534;

/// Cluster centres of patches, in the units of the pixels.
struct PatchCenters {
    int patch_size = 7;  ///< p: odd, 1..31
    std::int64_t n_bands = 1;
    std::int64_t n_clusters = 0;
    std::vector<double> values;  ///< [n_clusters][n_bands][p][p]

    std::int64_t n_features() const { return n_bands * patch_size * patch_size; }
    const double* center(std::int64_t cluster) const { return values.data() + cluster * n_features(); }

    /// @throws InvalidArgument  sizes out of range or not those of `values`; a centre that is not finite or
    /// beyond kMaxPixelValue
    void validate() const;
};

/// Where the labels of one tile go: label of date t, location (row, col) at data[t * date_stride + row *
/// row_stride + col].
struct LabelStack {
    std::uint16_t* data =
        nullptr;  ///< 1..n_clusters, 0 where the patch holds a NaN; null: labels are not kept
    std::int64_t date_stride = 0;
    std::int64_t row_stride = 0;
};

/// The assignment step of Lloyd's K-Means (Lloyd 1982) over all patches of a tile, and the sums for the
/// update.
///
/// Every patch of every date, a point in R^(n_bands p p), gets the label of its nearest centre (Euclidean; a
/// tie goes to the lower label); patches that hold a NaN take no part (pixels are finite or NaN). With
/// centres c_k and pixels taken relative to a level of the centres,
///
///     label(patch) = argmin_k ||c_k||^2 / 2 - <patch, c_k>
///
/// is a correlation of the image with each centre: patches are never formed. The sums of the patches of a
/// cluster come from prefix sums along the rows, touched only where the label changes, in exact fixed point.
///
/// @param pixels   tile with its halo: n_rows, n_cols >= p
/// @param centers  validate() is called; n_bands must be that of `pixels`
/// @param fixed    for the sums; the range must be that of all pixels of the run (FixedPoint::for_range)
/// @param labels   out, n_dates x (n_rows - p + 1) x (n_cols - p + 1), or null
/// @param sums     number and sums of the patches of each cluster are added to it; null: no sums are wanted,
///                 and none of their cost is paid
/// @param options  backend and threads. Labels are those of double precision with every backend, and the
///                 sums belong to them exactly. The result is the same for every thread count and every way
///                 to cut tiles
/// @throws InvalidArgument     sizes out of range, or sizes that do not fit each other
/// @throws BackendUnavailable  the backend cannot be used here
/// @throws DeviceError         of the Cuda backend, without a fallback in `options`
/// @complexity n_clusters n_bands p^2 multiply-adds a patch; memory of a few image rows a thread
void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, const ComputeOptions& options = {});

/// Squared Euclidean distance of every patch of a tile to its nearest centre.
///
/// The differences of pixels and centre are squared and summed as they are, in Float32 relative to a level
/// that all centres share: no large terms cancel, and a patch that equals a centre is at distance 0.
///
/// @param pixels    tile with its halo: n_rows, n_cols >= p
/// @param centers   validate() is called; n_bands must be that of `pixels`
/// @param distances out, n_dates x (n_rows - p + 1) x (n_cols - p + 1), in squared units of the pixels; NaN
///                  where the patch holds a NaN
/// @param options   backend and threads. The result is the same for every thread count and every way to cut
///                  tiles
/// @throws InvalidArgument     sizes out of range, or sizes that do not fit each other
/// @throws BackendUnavailable  the backend cannot be used here
/// @throws DeviceError         of the Cuda backend, without a fallback in `options`
/// @complexity as assign_patches(), twice the operations
void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     const ComputeOptions& options = {});

/// The update step: means of the clusters. A cluster without any patch keeps its centre.
PatchCenters mean_centers(const PatchCenters& centers, const PatchSums& sums, const FixedPoint& fixed);

}  // namespace rastertide
