// SPDX-License-Identifier: Apache-2.0
// Labels of one row of patches that nothing is remembered of: of each group of columns by the centres that
// can be nearest to patches of means and spreads such as are in the group.

#if defined(RASTERTIDE_KMEANS_RANGES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_RANGES_INL_HPP
#undef RASTERTIDE_KMEANS_RANGES_INL_HPP
#else
#define RASTERTIDE_KMEANS_RANGES_INL_HPP
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_classes-inl.hpp"
#include "compute/cpu/kmeans_classes.hpp"
#include "compute/cpu/kmeans_label-inl.hpp"
#include "compute/cpu/kmeans_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Moments of patches, lane by lane those of several: patches that hold a NaN have no part.
struct MomentRange {
    hn::Vec<KF> least_mean, most_mean, most_spread;  ///< the spread as a sum of squares
    bool known;                                      ///< no square is too large

    HWY_INLINE void add(float share, const hn::Vec<KF> sum, const hn::Vec<KF> square) {
        const auto mean = hn::Mul(sum, hn::Set(kPixel, share));
        const auto spread = hn::NegMulAdd(mean, sum, square);
        const auto moderate = hn::Le(square, hn::Set(kPixel, kMostClassSquare));
        known = known && hn::AllFalse(kPixel, hn::AndNot(moderate, hn::Eq(square, square)));
        least_mean = hn::IfThenElse(moderate, hn::Min(least_mean, mean), least_mean);
        most_mean = hn::IfThenElse(moderate, hn::Max(most_mean, mean), most_mean);
        most_spread = hn::IfThenElse(moderate, hn::Max(most_spread, spread), most_spread);
    }
};

struct CenterRange {
    std::uint8_t begin, end;
};

/// The candidates of all patches within the moments.
HWY_INLINE CenterRange range_of(const KMeansPlan& plan, const CandidateRanges& ranges,
                                const MomentRange& moments) {
    const CenterRange all{0, static_cast<std::uint8_t>(plan.n_clusters)};
    if (!moments.known) return all;
    const float least = hn::GetLane(hn::MinOfLanes(kPixel, moments.least_mean));
    const float most = hn::GetLane(hn::MaxOfLanes(kPixel, moments.most_mean));
    if (least > most) return {0, 0};
    const float low = (least - ranges.lowest_mean) * ranges.cells_per_mean;
    const float high = (most - ranges.lowest_mean) * ranges.cells_per_mean;
    const float square = hn::GetLane(hn::MaxOfLanes(kPixel, moments.most_spread));
    const std::int32_t spread = std::max(
        (std::bit_cast<std::int32_t>(square) >> CandidateRanges::kSpreadShift) - ranges.first_spread, 0);
    if (!(low >= 0 && high < CandidateRanges::kMeans) || spread >= CandidateRanges::kSpreads) return all;
    const auto row = static_cast<std::size_t>(spread);
    return {ranges.begins[row][static_cast<std::size_t>(low)],
            ranges.ends[row][static_cast<std::size_t>(high)]};
}

/// Sums and squares of the patches from `col` on into the moments; squares into scratch.squares, too.
HWY_INLINE void add_moments(const KMeansPlan& plan, float share, std::int64_t col,
                            const KMeansScratch& scratch, MomentRange& moments) {
    const auto square = sum_columns(plan, scratch.column_squares + col);
    hn::StoreU(square, kPixel, scratch.squares + col);
    moments.add(share, sum_columns(plan, scratch.column_sums + col), square);
}

/// Candidates and squares of all groups of columns of a row: scratch.ranges and scratch.squares.
HWY_NOINLINE void range_row(const KMeansPlan& plan, const CandidateRanges& ranges, const PatchLines& lines,
                            std::int64_t n_cols, const KMeansScratch& scratch) {
    add_columns(plan, lines, n_cols, scratch);
    const float share = 1 / static_cast<float>(plan.row_lines * plan.patch);
    const auto far = hn::Set(kPixel, std::numeric_limits<float>::infinity());
    std::uint8_t* to = scratch.ranges;
    for (std::int64_t col = 0; col < n_cols; col += 2 * kCols) {
        MomentRange moments{far, hn::Neg(far), hn::Zero(kPixel), true};
        add_moments(plan, share, col, scratch, moments);
        add_moments(plan, share, col + kCols, scratch, moments);
        const CenterRange range = range_of(plan, ranges, moments);
        *to++ = range.begin;
        *to++ = range.end;
    }
}

/// Labels of a row as label_row() finds them, with ranges that are in use.
HWY_NOINLINE void label_row_by_ranges(const KMeansPlan& plan, const CandidateRanges& ranges,
                                      const PatchLines& lines, std::int64_t n_cols,
                                      const KMeansScratch& scratch) {
    // All ranges come first: to wait for one before each group would cost as much as a centre.
    range_row(plan, ranges, lines, n_cols, scratch);
    const std::uint8_t* range = scratch.ranges;
    std::int64_t n_open = 0;
    for (std::int64_t col = 0; col < n_cols; col += 2 * kCols, range += 2) {
        const Nearest nearest = find_nearest<Offer::AnyOrder>(plan, ranges.by_mean, range[0], range[1],
                                                              lines.pixels(), col, nullptr);
        store_labels(nearest, scratch.labels + col);
        list_open(plan, nearest, col, scratch, n_open);
    }
    settle_open(plan, lines, n_open, scratch);
}

/// Labels of a row as label_row() finds them.
HWY_INLINE void label_row_of(const KMeansPlan& plan, const CandidateRanges& ranges, const PatchLines& lines,
                             std::int64_t n_cols, const KMeansScratch& scratch) {
    if (ranges.in_use) return label_row_by_ranges(plan, ranges, lines, n_cols, scratch);
    label_row(plan, lines, n_cols, scratch);
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
