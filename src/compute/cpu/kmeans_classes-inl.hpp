// SPDX-License-Identifier: Apache-2.0
// Sums and squares of one row of patches, and the classes these are in.

#if defined(RASTERTIDE_KMEANS_CLASSES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_CLASSES_INL_HPP
#undef RASTERTIDE_KMEANS_CLASSES_INL_HPP
#else
#define RASTERTIDE_KMEANS_CLASSES_INL_HPP
#endif

#include <cstdint>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_classes.hpp"
#include "compute/cpu/kmeans_label-inl.hpp"
#include "compute/cpu/kmeans_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using KI = hn::RebindToSigned<KF>;
inline constexpr KI kInt{};
inline constexpr hn::Rebind<std::uint8_t, KF> kClass{};

/// Classes of kCols patches. @param sum, square  of all numbers of a patch, and of their squares
HWY_INLINE hn::Vec<KI> classes_of(const PatchClasses& classes, float m, const hn::Vec<KF> sum,
                                  const hn::Vec<KF> square) {
    const auto mean = hn::Mul(sum, hn::Set(kPixel, 1 / m));
    const auto spread = hn::NegMulAdd(mean, sum, square);
    auto i_mean = hn::Zero(kInt), i_spread = hn::Zero(kInt);
    for (std::size_t i = 1; i < PatchClasses::kMeans; ++i) {
        const auto above = hn::Ge(mean, hn::Set(kPixel, classes.mean_edges[i]));
        i_mean = hn::Sub(i_mean, hn::BitCast(kInt, hn::VecFromMask(kPixel, above)));
    }
    const auto first = hn::ShiftLeft<3>(i_mean);
    static_assert(PatchClasses::kSpreads == 8);
    // How many of the eight sorted bounds are below: by halves, as gathers are dear.
    const float* edges = classes.square_edges[0].data();
    for (const int step : {4, 2, 1}) {
        const auto place = hn::Add(first, i_spread);
        const auto above = hn::Gt(spread, hn::GatherIndex(kPixel, edges + step - 1, place));
        i_spread =
            hn::IfThenElse(hn::RebindMask(kInt, above), hn::Add(i_spread, hn::Set(kInt, step)), i_spread);
    }
    const auto last = hn::GatherIndex(kPixel, edges, hn::Add(first, i_spread));
    const auto lowest = hn::Set(kPixel, classes.mean_edges.front());
    const auto highest = hn::Set(kPixel, classes.mean_edges.back());
    const auto finite = hn::Le(square, hn::Set(kPixel, kMostClassSquare));
    const auto inside =
        hn::And(hn::And(hn::Ge(mean, lowest), hn::Lt(mean, highest)), hn::And(hn::Le(spread, last), finite));
    const auto found = hn::IfThenElse(hn::RebindMask(kInt, inside), hn::Add(first, i_spread),
                                      hn::Set(kInt, PatchClasses::kOut));
    // The sum of infinities may be NaN, that of their squares is not.
    return hn::IfThenElse(hn::RebindMask(kInt, hn::Eq(square, square)), found,
                          hn::Set(kInt, PatchClasses::kVoid));
}

/// Sums of the columns of a row's patches, and of their squares: scratch.column_sums and column_squares.
HWY_INLINE void add_columns(const KMeansPlan& plan, const PatchLines& lines, std::int64_t n_cols,
                            const KMeansScratch& scratch) {
    const std::int64_t end = end_of_groups(n_cols) + plan.patch - 1;
    for (std::int64_t col = 0; col < end; col += kCols) {
        auto sum = hn::Zero(kPixel), square = hn::Zero(kPixel);
        for (std::int64_t line = 0; line < plan.row_lines; ++line) {
            const auto pixels = hn::LoadU(kPixel, lines.pixels()[line] + col);
            sum = hn::Add(sum, pixels);
            square = hn::MulAdd(pixels, pixels, square);
        }
        hn::StoreU(sum, kPixel, scratch.column_sums + col);
        hn::StoreU(square, kPixel, scratch.column_squares + col);
    }
}

/// Classes of a row of patches, scratch.classes, and what square_row() makes. Those past the last patch are
/// void.
HWY_NOINLINE void class_row(const KMeansPlan& plan, const PatchClasses& classes, const PatchLines& lines,
                            std::int64_t n_cols, const KMeansScratch& scratch) {
    add_columns(plan, lines, n_cols, scratch);
    const auto m = static_cast<float>(plan.row_lines * plan.patch);
    for (std::int64_t col = 0; col < end_of_groups(n_cols); col += kCols) {
        const auto sum = sum_columns(plan, scratch.column_sums + col);
        const auto square = sum_columns(plan, scratch.column_squares + col);
        hn::StoreU(square, kPixel, scratch.squares + col);
        hn::StoreU(hn::DemoteTo(kClass, classes_of(classes, m, sum, square)), kClass, scratch.classes + col);
    }
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
