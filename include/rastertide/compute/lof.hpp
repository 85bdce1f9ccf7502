// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rastertide/core/options.hpp>

namespace rastertide {

inline constexpr int kMaxPatchSize = 31;
/// Squared differences of larger values overflow Float32 once they are summed over a patch.
inline constexpr float kMaxPixelValue = 1e17F;

struct LofParams {
    int patch_size = 7;  ///< p: odd, 1..31; a patch is p x p pixels of every band
    int neighbors = 10;  ///< k: 1 .. n_dates - 1 (scikit-learn's n_neighbors)

    /// What does not depend on the stack. @throws InvalidArgument naming the parameter, its value and the
    /// range
    void validate() const;
    /// Against a stack of n_dates dates as well.
    void validate(std::int64_t n_dates) const;
};

/// The pixels of one tile at all dates. Does not own them.
struct PixelStack {
    const float* data = nullptr;  ///< [n_dates][n_bands][n_rows][n_cols], contiguous; NaN = nodata
    std::int64_t n_dates = 0;
    std::int64_t n_bands = 1;
    std::int64_t n_rows = 0;
    std::int64_t n_cols = 0;
    /// Raster position of the first location (of pixel (0, 0), or of any other that moves with the tile):
    /// partial sums are anchored to the raster, so that a score does not depend on the tile.
    std::int64_t first_row = 0;
    std::int64_t first_col = 0;
};

/// Where the scores of one tile go: scores of date t, location (row, col) at data[t * date_stride + row *
/// row_stride + col].
struct ScoreStack {
    float* data = nullptr;
    std::int64_t date_stride = 0;  ///< in floats
    std::int64_t row_stride = 0;   ///< in floats
};

/// Local Outlier Factor (Breunig et al. 2000) of every date at every location of a tile.
///
/// At each location the n_dates patches (p x p pixels of all bands around it) are points in R^(n_bands p p),
/// and only they are each other's neighbours. With d the Euclidean distance and N(s) the k nearest other
/// dates of s (ties at the k-th distance go to the earlier date):
///
///     kdist(s) = d(s, k-th neighbour)          reach(s, o) = max(kdist(o), d(s, o))
///     lrd(s)   = 1 / (mean over N(s) of reach(s, o) + 1e-10)
///     LOF(s)   = mean over N(s) of lrd(o) / lrd(s)
///
/// which is scikit-learn's `-negative_outlier_factor_`. About 1 = like its neighbours, larger = outlier. A
/// date whose patch holds a NaN takes no part at that location and scores NaN. With n valid dates and n <= k,
/// k becomes n - 1 there; with n < 3 all dates of the location score NaN.
///
/// @param pixels  tile with its halo: n_rows, n_cols >= p. Infinities are not allowed (readers make them
/// NaN), nor values beyond 1e17 in magnitude, whose squared differences overflow.
/// @param params  see LofParams; validate(pixels.n_dates) is called
/// @param scores  out: n_dates x (n_rows - p + 1) x (n_cols - p + 1); must not overlap `pixels`
/// @param options backend and threads; the result is the same for every thread count and every way to cut
/// tiles
/// @throws InvalidArgument     sizes or parameters out of range
/// @throws BackendUnavailable  the backend cannot be used here
/// @throws DeviceError         of the Cuda backend, without a fallback in `options`
/// @complexity time O(n_dates^2 n_bands) per location, independent of p but for the halo; memory O(n_dates k)
/// per location of
///             a block of a few hundred locations per thread
void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
         const ComputeOptions& options = {});

/// Rows of locations that are computed together: a tile whose height is a multiple of it, and that begins
/// at a multiple of it in the raster, costs least.
std::int64_t lof_block_rows(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                            const ComputeOptions& options);

/// Scratch memory that lof() takes beside its arguments, for a tile of any size.
std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               const ComputeOptions& options);

}  // namespace rastertide
