// SPDX-License-Identifier: Apache-2.0
// Labels of one row of locations, as in double precision: by float scores where these can tell the nearest
// centre for certain, else by distances in double.
//
// With x a patch and c_k the centres relative to the level, u = 2^-24 and m numbers a patch, pixels, centres
// and half norms are rounded once each, and m multiply-adds follow: a score s_k is off by at most
// E_k = tau (|c_k|^2 / 2 + |x| |c_k|), tau = (m + 5) u. Let b have the lowest score and d be its distance. A
// centre k that is no farther than b has |c_k| <= |x| + d, as has b, so that
//
//     s_k - s_b <= E_k + E_b <= tau (3 |x|^2 + 4 |x| d + d^2) <= tau (4 |x|^2 + 5 d^2),   d^2 = |x|^2 + 2
//     s_b.
//
// Where the second lowest score is farther away than that, b is the nearest. (d^2 is off by 2 E_b, and the
// terms are sums in float: together less than the 5% by which tau is raised, for any tau that is used.)

#if defined(RASTERTIDE_KMEANS_LABEL_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_LABEL_INL_HPP
#undef RASTERTIDE_KMEANS_LABEL_INL_HPP
#else
#define RASTERTIDE_KMEANS_LABEL_INL_HPP
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_assign-inl.hpp"
#include "compute/cpu/kmeans_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The end of a row's last group of columns.
HWY_INLINE std::int64_t end_of_groups(std::int64_t n_cols) {
    return (n_cols + 2 * kCols - 1) / (2 * kCols) * 2 * kCols;
}

/// Sums of kCols patches from those of their columns.
HWY_INLINE hn::Vec<KF> sum_columns(const KMeansPlan& plan, const float* columns) {
    auto sum = hn::LoadU(kPixel, columns);
    for (std::int64_t dx = 1; dx < plan.patch; ++dx) sum = hn::Add(sum, hn::LoadU(kPixel, columns + dx));
    return sum;
}

/// Sums of squares of the patches of a row and of those up to the end of its last group of columns:
/// scratch.squares. NaN where a patch holds one, or lies past the last pixel.
HWY_NOINLINE void square_row(const KMeansPlan& plan, const PatchLines& lines, std::int64_t n_cols,
                             const KMeansScratch& scratch) {
    float* columns = scratch.column_squares;
    const std::int64_t end = end_of_groups(n_cols);
    for (std::int64_t col = 0; col < end + plan.patch - 1; col += kCols) {
        auto sum = hn::Zero(kPixel);
        for (std::int64_t line = 0; line < plan.row_lines; ++line) {
            const auto pixels = hn::LoadU(kPixel, lines.pixels()[line] + col);
            sum = hn::MulAdd(pixels, pixels, sum);
        }
        hn::StoreU(sum, kPixel, columns + col);
    }
    for (std::int64_t col = 0; col < end; col += kCols) {
        hn::StoreU(sum_columns(plan, columns + col), kPixel, scratch.squares + col);
    }
}

/// Bit i: floats cannot tell which centre is nearest to patch i of kCols.
HWY_INLINE std::uint32_t open_bits(const hn::Mask<KF> open) {
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(kPixel, open, bytes);
    return (bytes[0] | static_cast<std::uint32_t>(bytes[1]) << 8) & ((1U << kCols) - 1);
}

/// False for patches that hold a NaN, whose squares are NaN.
HWY_INLINE hn::Mask<KF> is_open(const KMeansPlan& plan, const hn::Vec<KF> square, const hn::Vec<KF> best,
                                const hn::Vec<KF> second) {
    const auto distance = hn::Max(hn::MulAdd(hn::Set(kPixel, 2), best, square), hn::Zero(kPixel));
    const auto bound = hn::MulAdd(
        hn::Set(kPixel, plan.tie_of_square), square,
        hn::MulAdd(hn::Set(kPixel, plan.tie_of_distance), distance, hn::Set(kPixel, KMeansPlan::kLeastTie)));
    // Open also where something is infinite.
    return hn::AndNot(hn::Gt(hn::Sub(second, best), bound), hn::Eq(square, square));
}

/// Lists those of the 2 kCols columns from `col` on whose nearest centre floats cannot tell.
HWY_INLINE void list_open(const KMeansPlan& plan, const Nearest& nearest, std::int64_t col,
                          const KMeansScratch& scratch, std::int64_t& n_open) {
    const float* squares = scratch.squares + col;
    const auto open_0 = is_open(plan, hn::LoadU(kPixel, squares), nearest.best_0, nearest.second_0);
    const auto open_1 = is_open(plan, hn::LoadU(kPixel, squares + kCols), nearest.best_1, nearest.second_1);
    if (hn::AllFalse(kPixel, hn::Or(open_0, open_1))) return;
    std::uint64_t bits = open_bits(open_0) | static_cast<std::uint64_t>(open_bits(open_1)) << kCols;
    for (; bits != 0; bits &= bits - 1)
        scratch.open[n_open++] = static_cast<std::int32_t>(col + std::countr_zero(bits));
}

/// Patches whose distances are added up side by side: enough to hide the latency of an addition.
inline constexpr int kOpenChains = 4;

/// Squared distances of kOpenChains patches to the centres from `first` on, in the order of the reference.
HWY_INLINE void exact_distances(const KMeansPlan& plan, const PatchLines& lines, const std::int32_t* cols,
                                std::int64_t first, double* distances) {
    hn::Vec<KS> sums[kOpenChains];
    for (auto& sum : sums) sum = hn::Zero(kScaled);
    const double* centers = plan.exact_centers.data() + first;
    for (std::int64_t band = 0; band < plan.n_bands; ++band) {
        for (std::int64_t y = 0; y < plan.patch; ++y) {
            const float* line = lines.raw()[y * plan.n_bands + band];
            for (std::int64_t dx = 0; dx < plan.patch; ++dx, centers += plan.exact_stride) {
                const auto center = hn::LoadU(kScaled, centers);
#pragma GCC unroll 4
                for (int j = 0; j < kOpenChains; ++j) {
                    const auto pixel = hn::Set(kScaled, static_cast<double>(line[cols[j] + dx]));
                    const auto difference = hn::Sub(pixel, center);
                    sums[j] = hn::Add(sums[j], hn::Mul(difference, difference));
                }
            }
        }
    }
    for (int j = 0; j < kOpenChains; ++j)
        hn::StoreU(sums[j], kScaled, distances + j * plan.exact_stride + first);
}

/// Labels of the listed columns by distances in double. The list has room for kOpenChains more.
HWY_NOINLINE void settle_open(const KMeansPlan& plan, const PatchLines& lines, std::int64_t n_open,
                              const KMeansScratch& scratch) {
    std::int32_t* cols = scratch.open;
    std::fill_n(cols + n_open, kOpenChains, n_open > 0 ? cols[0] : 0);
    for (std::int64_t i = 0; i < n_open; i += kOpenChains) {
        double* distances = scratch.exact_distances;
        for (std::int64_t first = 0; first < plan.exact_stride; first += kSumStep)
            exact_distances(plan, lines, cols + i, first, distances);
        for (int j = 0; j < kOpenChains; ++j, distances += plan.exact_stride) {
            const double* least = std::min_element(distances, distances + plan.n_clusters);
            const bool is_near = *least < std::numeric_limits<double>::infinity();
            scratch.labels[cols[i + j]] = static_cast<std::uint16_t>(is_near ? least - distances + 1 : 0);
        }
    }
}

/// Labels of n_cols locations of a row, 0 where the patch holds a NaN: scratch.labels.
HWY_NOINLINE void label_row(const KMeansPlan& plan, const PatchLines& lines, std::int64_t n_cols,
                            const KMeansScratch& scratch) {
    square_row(plan, lines, n_cols, scratch);
    std::int64_t n_open = 0;
    for (std::int64_t col = 0; col < n_cols; col += 2 * kCols) {
        const Nearest nearest = find_nearest<Offer::InOrder>(plan, plan.centers, 0, plan.n_clusters,
                                                             lines.pixels(), col, nullptr);
        store_labels(nearest, scratch.labels + col);
        list_open(plan, nearest, col, scratch, n_open);
    }
    settle_open(plan, lines, n_open, scratch);
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
