// SPDX-License-Identifier: Apache-2.0
// The rows of one date of a tile, one after the other: what a thread of the assignment step does at a time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <hwy/aligned_allocator.h>

#include <rastertide/compute/kmeans.hpp>

#include "compute/patch_margins.hpp"

namespace rastertide::cpu {

/// Locations of one date that a thread works on at a time: rows and columns of the tile.
struct KMeansBlock {
    std::int64_t date = 0;
    std::int64_t first_row = 0, end_row = 0;
    std::int64_t first_col = 0, n_cols = 0;
};

/// Which sums a call makes.
enum class KMeansSums {
    None,
    All,     ///< of all patches: every image row is summed when it comes in
    Changes  ///< of patches with a new label: image rows are summed when a row of patches asks for it
};

/// The level that labels are computed at, so that the scores of most patches are small and round little: 0,
/// unless the median of the centres lies far from it beside their range; then near that median, on a coarse
/// grid, so that it stays the same while centres move a little. (The middle of the range of all pixels lies
/// far from most of them where a few are bright.)
float label_level(const PatchCenters& centers);

/// The level that distances are computed at: the middle of the centres' range, the same for every tile.
float distance_level(const PatchCenters& centers);

/// Centres as the kernels hold them, relative to the offset, with room for whole vectors to be loaded.
struct CenterTable {
    static constexpr std::size_t kPadding = 16;

    /// [row_lines][patch][n_clusters]: the centres, side by side; and kPadding more.
    std::vector<float> coefficients;
    std::vector<float> half_norms;      ///< [n_clusters + kPadding]: ||c||^2 / 2
    std::vector<std::uint32_t> labels;  ///< [n_clusters]: from 1
};

/// What is the same for every row of a call.
struct KMeansPlan {
    /// @param level  that pixels and centres are taken relative to
    KMeansPlan(const PixelStack& pixels, const PatchCenters& model, float level,
               const FixedPoint& fixed_point, KMeansSums wanted);

    std::int64_t n_blocks() const { return n_dates * blocks_per_col * blocks_per_row; }
    KMeansBlock block(std::int64_t i) const;

    std::int64_t n_dates;
    std::int64_t n_clusters;
    std::int64_t n_bands;
    std::int64_t patch;
    std::int64_t n_rows, n_cols;  ///< locations of the tile
    std::int64_t row_lines;       ///< image rows that a patch spans: patch x n_bands
    KMeansSums sums;
    std::int64_t block_cols;   ///< locations of a block, so that its lines stay in the second-level cache
    std::int64_t line_floats;  ///< of a line of a block's pixels, with room for whole vectors past its end
    std::int64_t blocks_per_row, blocks_per_col;
    /// Integers of one line of a cluster's sums: patch, filled up to whole vectors; single pixels fill none.
    std::int64_t sum_stride;
    FixedPoint fixed;
    /// Pixels and centres are taken relative to it, so that no digit is lost to a common level.
    float offset;
    double scale;         ///< of the fixed point
    CenterTable centers;  ///< in the order of their labels
    /// Scores that differ by no more may be in the wrong order: times the square of the patch and of its
    /// distance, and at least kLeastTie. kmeans_label-inl.hpp.
    float tie_of_square, tie_of_distance;
    static constexpr float kLeastTie = 1e-37F;  ///< products below are no normal numbers
    std::vector<double> exact_centers;  ///< [n_features][exact_stride]: as given, filled up with infinities
    std::int64_t exact_stride;

    /// The feature at place i of the kernel's order: rows of a patch are its outer loop, bands the inner one.
    std::int64_t feature_of(std::int64_t i) const {
        const std::int64_t line = i / patch;
        return (line % n_bands * patch + line / n_bands) * patch + i % patch;
    }
    std::int64_t cluster_integers() const { return row_lines * sum_stride; }
    /// Patches of several pixels are summed through prefixes, single pixels through their integers alone.
    bool want_prefixes() const { return sums != KMeansSums::None && patch > 1; }
    bool want_integers() const { return sums != KMeansSums::None && patch == 1; }
};

/// Which centres, by their mean, can be the nearest to any of some patches: kmeans_candidates.hpp.
struct CandidateRanges {
    static constexpr int kMeans = 32, kSpreads = 16;

    bool in_use = false;
    CenterTable by_mean;
    /// Cells of means: (mean - lowest_mean) * cells_per_mean, cut to an integer.
    float lowest_mean = 0, cells_per_mean = 0;
    /// Cells of sums of squares about the mean, two to an octave: their bits, less the lowest kSpreadShift.
    static constexpr int kSpreadShift = 22;
    std::int32_t first_spread = 0;
    /// Of all patches up to this spread: the first candidate where the mean is in this cell or above, and the
    /// end of the candidates where it is in this cell or below.
    std::array<std::array<std::uint8_t, kMeans>, kSpreads> begins{}, ends{};
};

/// What a pass does with margins of patches, the same for all its rows: kmeans_margins.hpp.
struct PruneStep {
    bool new_classes = false;  ///< patches are sorted into classes first

    bool use_margins = false;
    std::int32_t version = 0;         ///< of new margins
    std::int32_t version_stride = 0;  ///< (1 + n_clusters) * 256
    /// [kVersions][1 + n_clusters][256]: what a margin loses, by version, label and class; kFail: all fail.
    std::vector<std::int32_t> losses;
    std::vector<float> slack;     ///< [1 + n_clusters][256]: twice what rounding costs a margin that is set
    std::vector<float> rounding;  ///< [1 + n_clusters][256]: within it floats cannot tell the label
    std::vector<float> by_rival;  ///< [n_clusters rivals][n_padded own]: units of margin per gap
    std::int64_t n_padded = 0;

    static constexpr std::int32_t kFail = 1 << 20;
};

/// What a thread holds: rings of `patch` image rows, and sums of its own.
class KMeansScratch {
  public:
    /// @param prune  null: without margins
    explicit KMeansScratch(const KMeansPlan& plan, const PruneStep* prune = nullptr);

    float* pixels;            ///< [patch][n_bands][line_floats]: relative to the offset
    std::int64_t* prefixes;   ///< [patch][n_bands][line_floats]: sums of the integers of all columns before
    std::int64_t* integers;   ///< [line_floats], of single pixels [n_bands][line_floats]: in fixed point
    std::uint16_t* labels;    ///< [line_floats]
    float* distances;         ///< [line_floats]
    float* column_squares;    ///< [line_floats]
    float* column_sums;       ///< [line_floats]
    float* squares;           ///< [line_floats]: of patches
    float* raw_pixels;        ///< [line_floats]: of an image row that is summed late
    std::int32_t* changed;    ///< [line_floats]: columns whose label changed
    std::int32_t* open;       ///< [line_floats]: columns whose label floats cannot tell
    std::uint8_t* ranges;     ///< [line_floats]: two for each group of columns, its candidates
    double* exact_distances;  ///< [4][exact_stride]
    std::uint16_t* margins = nullptr;  ///< [line_floats], with margins
    std::uint8_t* classes = nullptr;   ///< [line_floats], with classes
    float* scores = nullptr;           ///< with margins: two times [n_padded][vector]
    std::int64_t* counts;              ///< [1 + n_clusters]; 0 collects what is not wanted
    std::int64_t* sums;                ///< [1 + n_clusters][row_lines][sum_stride]

    /// Adds its own sums to `total` and forgets them.
    void flush(const KMeansPlan& plan, PatchSums& total);

  private:
    hwy::AlignedFreeUniquePtr<float[]> floats_;
    hwy::AlignedFreeUniquePtr<std::int64_t[]> wide_integers_;
    hwy::AlignedFreeUniquePtr<std::int64_t[]> integers_;
    hwy::AlignedFreeUniquePtr<std::uint16_t[]> label_row_;
    hwy::AlignedFreeUniquePtr<std::int32_t[]> changed_row_;
    hwy::AlignedFreeUniquePtr<std::int32_t[]> open_row_;
    hwy::AlignedFreeUniquePtr<std::uint8_t[]> range_row_;
    hwy::AlignedFreeUniquePtr<double[]> exact_distances_;
    hwy::AlignedFreeUniquePtr<std::uint16_t[]> margin_row_;
    hwy::AlignedFreeUniquePtr<std::uint8_t[]> class_row_;
    hwy::AlignedFreeUniquePtr<float[]> scores_;
};

/// Labels a block and adds it to the scratch's sums, if these are wanted.
void assign_block(const PixelStack& pixels, const KMeansPlan& plan, const CandidateRanges& ranges,
                  const KMeansBlock& block, const LabelStack& labels, KMeansScratch& scratch);

/// Labels a block and moves the patches whose label changed within the scratch's sums.
/// @param labels  of the tile, [n_dates][n_rows][n_cols]: old ones in, new ones out
/// @return how many changed
std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const CandidateRanges& ranges,
                            const KMeansBlock& block, std::uint8_t* labels, KMeansScratch& scratch);
std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const CandidateRanges& ranges,
                            const KMeansBlock& block, std::uint16_t* labels, KMeansScratch& scratch);

/// The same with margins: scores that cannot matter are not computed.
std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const PruneStep& prune,
                            const KMeansBlock& block, std::uint8_t* labels, PatchMargins& margins,
                            KMeansScratch& scratch);

/// Squared distance of each patch of a block to its nearest centre.
void distances_of_block(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                        const ScoreStack& distances, KMeansScratch& scratch);

}  // namespace rastertide::cpu
