// SPDX-License-Identifier: Apache-2.0
// Squared distances of one row of patches to the nearest centre: the differences themselves, squared and
// summed in registers, so that nothing cancels.

#if defined(RASTERTIDE_KMEANS_DISTANCE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_DISTANCE_INL_HPP
#undef RASTERTIDE_KMEANS_DISTANCE_INL_HPP
#else
#define RASTERTIDE_KMEANS_DISTANCE_INL_HPP
#endif

#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_assign-inl.hpp"
#include "compute/cpu/kmeans_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Two vectors of columns, and their squared distances to the nearest centre so far.
struct Shortest {
    hn::Vec<KF> best_0, best_1;

    /// NaN in, once, stays.
    HWY_INLINE void offer(const hn::Vec<KF> sum_0, const hn::Vec<KF> sum_1) {
        best_0 = hn::IfThenElse(hn::Ge(sum_0, best_0), best_0, sum_0);
        best_1 = hn::IfThenElse(hn::Ge(sum_1, best_1), best_1, sum_1);
    }
};

/// Offers the centres [first, first + kGroup) to the patches of 2 kCols columns from `col` on.
template <int kGroup>
HWY_INLINE void offer_distances(const KMeansPlan& plan, const float* const* lines, std::int64_t col,
                                std::int64_t first, Shortest& shortest) {
    const float* coefficients = plan.centers.coefficients.data() + first;
    hn::Vec<KF> sums_0[kGroup], sums_1[kGroup];
#pragma GCC unroll 16
    for (int k = 0; k < kGroup; ++k) sums_0[k] = sums_1[k] = hn::Zero(kPixel);
    for (std::int64_t line = 0; line < plan.row_lines; ++line) {
        const float* pixels = lines[line] + col;
        for (std::int64_t dx = 0; dx < plan.patch; ++dx, coefficients += plan.n_clusters) {
            const auto pixels_0 = hn::LoadU(kPixel, pixels + dx);
            const auto pixels_1 = hn::LoadU(kPixel, pixels + dx + kCols);
#pragma GCC unroll 16
            for (int k = 0; k < kGroup; ++k) {
                const auto coefficient = hn::Set(kPixel, coefficients[k]);
                const auto difference_0 = hn::Sub(pixels_0, coefficient);
                const auto difference_1 = hn::Sub(pixels_1, coefficient);
                sums_0[k] = hn::MulAdd(difference_0, difference_0, sums_0[k]);
                sums_1[k] = hn::MulAdd(difference_1, difference_1, sums_1[k]);
            }
        }
    }
#pragma GCC unroll 16
    for (int k = 0; k < kGroup; ++k) shortest.offer(sums_0[k], sums_1[k]);
}

/// offer_distances() for a number of centres that is known when the program runs.
template <int kGroup>
HWY_INLINE void offer_distances_of(const KMeansPlan& plan, const float* const* lines, std::int64_t col,
                                   std::int64_t first, std::int64_t n, Shortest& shortest) {
    if constexpr (kGroup > 0) {
        if (n == kGroup) return offer_distances<kGroup>(plan, lines, col, first, shortest);
        offer_distances_of<kGroup - 1>(plan, lines, col, first, n, shortest);
    }
}

/// Distances of n_cols locations of a row, NaN where the patch holds one. `out` has room for whole vectors.
HWY_NOINLINE void distance_row(const KMeansPlan& plan, const PatchLines& lines, std::int64_t n_cols,
                               float* out) {
    constexpr std::int64_t kMost = kMaxGroup / 2;  // half the registers: the differences take some
    const std::int64_t n_groups = (plan.n_clusters + kMost - 1) / kMost;
    for (std::int64_t col = 0; col < n_cols; col += 2 * kCols) {
        const auto far = hn::Set(kPixel, std::numeric_limits<float>::infinity());
        Shortest shortest{far, far};
        for (std::int64_t group = 0; group < n_groups; ++group) {
            const std::int64_t first = plan.n_clusters * group / n_groups;
            const std::int64_t n = plan.n_clusters * (group + 1) / n_groups - first;
            offer_distances_of<kMost>(plan, lines.pixels(), col, first, n, shortest);
        }
        hn::StoreU(shortest.best_0, kPixel, out + col);
        hn::StoreU(shortest.best_1, kPixel, out + col + kCols);
    }
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
