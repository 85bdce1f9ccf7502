// SPDX-License-Identifier: Apache-2.0
// The rows of one date of a tile, one after the other: what a thread of the assignment step does at a time.
#pragma once

#include <cstdint>
#include <vector>

#include <hwy/aligned_allocator.h>

#include <rastertide/compute/kmeans.hpp>

namespace rastertide::cpu {

/// What is the same for every row of a call.
struct KMeansPlan {
    KMeansPlan(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed_point);

    std::int64_t n_clusters;
    std::int64_t n_bands;
    std::int64_t patch;
    std::int64_t image_cols;
    std::int64_t location_cols;
    std::int64_t row_lines;    ///< image rows that a patch spans: patch x n_bands
    std::int64_t line_floats;  ///< of a line of pixels, with room for whole vectors past its end
    /// Integers of one line of a cluster's sums: patch, filled up to whole vectors.
    std::int64_t sum_stride;
    FixedPoint fixed;
    /// Pixels and centres are taken relative to it, so that no digit is lost to a common level.
    float offset;
    double scale;  ///< of the fixed point
    /// [row_lines][patch][n_clusters]: the centres, side by side.
    std::vector<float> coefficients;
    std::vector<float> half_norms;  ///< [n_clusters]: ||c||^2 / 2

    /// The feature at place i of the kernel's order: rows of a patch are its outer loop, bands the inner one.
    std::int64_t feature_of(std::int64_t i) const {
        const std::int64_t line = i / patch;
        return (line % n_bands * patch + line / n_bands) * patch + i % patch;
    }
    std::int64_t cluster_integers() const { return row_lines * sum_stride; }
};

/// What a thread holds: rings of `patch` image rows, and sums of its own.
class KMeansScratch {
  public:
    explicit KMeansScratch(const KMeansPlan& plan);

    float* pixels;           ///< [patch][n_bands][line_floats]: relative to the offset
    std::int64_t* prefixes;  ///< [patch][n_bands][line_floats]: sums of the integers of all columns before
    std::int32_t* integers;  ///< [line_floats]: one line of pixels in fixed point
    std::uint16_t* labels;   ///< [line_floats]
    std::int64_t* counts;    ///< [1 + n_clusters]; 0 collects what is not wanted
    std::int64_t* sums;      ///< [1 + n_clusters][row_lines][sum_stride]

    /// Adds its own sums to `total` and forgets them.
    void flush(const KMeansPlan& plan, PatchSums& total);

  private:
    hwy::AlignedFreeUniquePtr<float[]> floats_;
    hwy::AlignedFreeUniquePtr<std::int64_t[]> wide_integers_;
    hwy::AlignedFreeUniquePtr<std::int32_t[]> integers_;
    hwy::AlignedFreeUniquePtr<std::uint16_t[]> label_row_;
};

/// Location rows [first_row, end_row) of one date: labels them and adds them to the scratch's sums.
void assign_rows(const PixelStack& pixels, const KMeansPlan& plan, std::int64_t date, std::int64_t first_row,
                 std::int64_t end_row, const LabelStack& labels, KMeansScratch& scratch);

}  // namespace rastertide::cpu
