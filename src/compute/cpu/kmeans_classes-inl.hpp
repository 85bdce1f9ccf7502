// SPDX-License-Identifier: Apache-2.0
// Classes of one row of patches, and labels by them: centres that are no candidates are not looked at.
//
// Labels are those of label_row(): candidates are sure to be nearer than the rest, and what floats cannot
// tell among them is settled in the same way.

#if defined(RASTERTIDE_KMEANS_CLASSES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_CLASSES_INL_HPP
#undef RASTERTIDE_KMEANS_CLASSES_INL_HPP
#else
#define RASTERTIDE_KMEANS_CLASSES_INL_HPP
#endif

#include <bit>
#include <cstdint>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_label-inl.hpp"
#include "compute/cpu/kmeans_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using KI = hn::RebindToSigned<KF>;
inline constexpr KI kInt{};
inline constexpr hn::Rebind<std::uint8_t, KF> kClass{};

/// Classes of kCols patches from `col` on: PatchMargins.
HWY_INLINE hn::Vec<KI> classes_of(const KMeansPlan& plan, const PatchMargins& margins,
                                  const float* const* lines, std::int64_t col) {
    const auto n = hn::Set(kPixel, static_cast<float>(plan.row_lines * plan.patch));
    // Two chains of additions each: one would wait for its own results.
    auto sum = hn::Zero(kPixel), sum_odd = sum, square = sum, square_odd = sum;
    for (std::int64_t line = 0; line < plan.row_lines; ++line) {
        const float* pixels = lines[line] + col;
        sum = hn::Add(sum, hn::LoadU(kPixel, pixels));
        for (std::int64_t dx = 1; dx < plan.patch; dx += 2) {
            sum_odd = hn::Add(sum_odd, hn::LoadU(kPixel, pixels + dx));
            sum = hn::Add(sum, hn::LoadU(kPixel, pixels + dx + 1));
        }
    }
    const auto mean = hn::Div(hn::Add(sum, sum_odd), n);
    const auto add_square = [&](const float* pixels, hn::Vec<KF>& to) {
        const auto difference = hn::Sub(hn::LoadU(kPixel, pixels), mean);
        to = hn::MulAdd(difference, difference, to);
    };
    for (std::int64_t line = 0; line < plan.row_lines; ++line) {
        const float* pixels = lines[line] + col;
        add_square(pixels, square);
        for (std::int64_t dx = 1; dx < plan.patch; dx += 2) {
            add_square(pixels + dx, square_odd);
            add_square(pixels + dx + 1, square);
        }
    }
    square = hn::Add(square, square_odd);
    auto i_mean = hn::Zero(kInt), i_spread = hn::Zero(kInt);
    for (std::size_t i = 1; i < PatchMargins::kMeans; ++i) {
        const auto above = hn::Ge(mean, hn::Set(kPixel, margins.mean_edges[i]));
        i_mean = hn::Sub(i_mean, hn::BitCast(kInt, hn::VecFromMask(kPixel, above)));
    }
    const auto first = hn::ShiftLeft<3>(i_mean);
    static_assert(PatchMargins::kSpreads == 8);
    // How many of the eight sorted bounds are below: by halves, as gathers are dear.
    const float* edges = margins.square_edges[0].data();
    for (const int step : {4, 2, 1}) {
        const auto place = hn::Add(first, i_spread);
        const auto above = hn::Gt(square, hn::GatherIndex(kPixel, edges + step - 1, place));
        i_spread =
            hn::IfThenElse(hn::RebindMask(kInt, above), hn::Add(i_spread, hn::Set(kInt, step)), i_spread);
    }
    const auto last = hn::GatherIndex(kPixel, edges, hn::Add(first, i_spread));
    const auto lowest = hn::Set(kPixel, margins.mean_edges.front());
    const auto highest = hn::Set(kPixel, margins.mean_edges.back());
    const auto inside = hn::And(hn::And(hn::Ge(mean, lowest), hn::Lt(mean, highest)), hn::Le(square, last));
    const auto found = hn::IfThenElse(hn::RebindMask(kInt, inside), hn::Add(first, i_spread),
                                      hn::Set(kInt, PatchMargins::kOut));
    return hn::IfThenElse(hn::RebindMask(kInt, hn::Eq(mean, mean)), found,
                          hn::Set(kInt, PatchMargins::kVoid));
}

HWY_NOINLINE void class_row(const KMeansPlan& plan, const PatchMargins& margins, const PatchLines& lines,
                            std::int64_t n_cols, std::uint8_t* classes) {
    for (std::int64_t col = 0; col < n_cols; col += kCols) {
        hn::StoreU(hn::DemoteTo(kClass, classes_of(plan, margins, lines.pixels(), col)), kClass,
                   classes + col);
    }
}

/// The candidates of 2 kCols columns, all of them together.
HWY_INLINE std::uint64_t candidates_of(const PruneStep& step, const std::uint8_t* classes) {
    std::uint64_t even = 0, odd = 0;
    for (std::int64_t i = 0; i < 2 * kCols; i += 2) {
        even |= step.candidates[classes[i]];
        odd |= step.candidates[classes[i + 1]];
    }
    return even | odd;
}

/// Labels of a row whose classes are in the scratch, as label_row() finds them.
HWY_NOINLINE void label_row_by_classes(const KMeansPlan& plan, const PruneStep& step, const PatchLines& lines,
                                       std::int64_t n_cols, const KMeansScratch& scratch) {
    square_row(plan, lines, n_cols, scratch);
    std::int64_t n_open = 0;
    for (std::int64_t col = 0; col < n_cols; col += 2 * kCols) {
        const std::uint64_t candidates = candidates_of(step, scratch.classes + col);
        const std::int64_t begin = candidates == 0 ? 0 : std::countr_zero(candidates);
        const std::int64_t end = std::bit_width(candidates);
        const Nearest nearest =
            find_nearest<Offer::AnyOrder>(plan, step.by_mean, begin, end, lines.pixels(), col, nullptr);
        store_labels(nearest, scratch.labels + col);
        list_open(plan, nearest, col, scratch, n_open);
    }
    settle_open(plan, lines, n_open, scratch);
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
