// SPDX-License-Identifier: Apache-2.0
// Sums of the patches of each cluster over one row of locations.
//
// The patches of a run of equal labels, columns [a, b), add up, at patch column dx, to P[b + dx] - P[a + dx]
// with the prefix sums P of the image row. So only places where the label changes cost anything.

#if defined(RASTERTIDE_KMEANS_UPDATE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_UPDATE_INL_HPP
#undef RASTERTIDE_KMEANS_UPDATE_INL_HPP
#else
#define RASTERTIDE_KMEANS_UPDATE_INL_HPP
#endif

#include <cstdint>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_assign-inl.hpp"
#include "compute/cpu/kmeans_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Column `col` ends a run of patches of one label and begins one of another; 0 is no label.
HWY_INLINE void move_edge(const KMeansPlan& plan, const PatchLines& lines, std::int64_t col,
                          std::uint16_t ended, std::uint16_t begun, const KMeansScratch& scratch) {
    const hn::CappedTag<std::int64_t, 8> d;
    constexpr auto kStep = static_cast<std::int64_t>(hn::MaxLanes(d));
    scratch.counts[ended] += col;
    scratch.counts[begun] -= col;
    std::int64_t* to_ended = scratch.sums + ended * plan.cluster_integers();
    std::int64_t* to_begun = scratch.sums + begun * plan.cluster_integers();
    for (std::int64_t line = 0; line < plan.row_lines; ++line) {
        const std::int64_t* prefixes = lines.prefixes()[line] + col;
        for (std::int64_t dx = 0; dx < plan.sum_stride; dx += kStep) {
            const auto prefix = hn::LoadU(d, prefixes + dx);
            hn::Store(hn::Add(hn::Load(d, to_ended + dx), prefix), d, to_ended + dx);
            hn::Store(hn::Sub(hn::Load(d, to_begun + dx), prefix), d, to_begun + dx);
        }
        to_ended += plan.sum_stride;
        to_begun += plan.sum_stride;
    }
}

/// Adds a row of labelled patches of several pixels to the scratch's sums.
HWY_NOINLINE void add_patches_to_sums(const KMeansPlan& plan, const PatchLines& lines, std::int64_t n_cols,
                                      const KMeansScratch& scratch) {
    std::uint16_t label = 0;
    for (std::int64_t col = 0; col < n_cols; ++col) {
        if (scratch.labels[col] == label) continue;
        move_edge(plan, lines, col, label, scratch.labels[col], scratch);
        label = scratch.labels[col];
    }
    if (label != 0) move_edge(plan, lines, n_cols, label, 0, scratch);
}

/// Adds a row of labelled single pixels: with many bands their prefixes would cost more than the labels.
inline void add_pixels_to_sums(const KMeansPlan& plan, std::int64_t n_cols, const KMeansScratch& scratch) {
    for (std::int64_t col = 0; col < n_cols; ++col) ++scratch.counts[scratch.labels[col]];
    for (std::int64_t band = 0; band < plan.n_bands; ++band) {
        const std::int64_t* integers = scratch.integers + band * plan.line_floats;
        std::int64_t* sums = scratch.sums + band;
        for (std::int64_t col = 0; col < n_cols; ++col) {
            sums[scratch.labels[col] * plan.n_bands] += integers[col];
        }
    }
}

/// Adds a row of labelled patches to the scratch's sums, if sums are wanted.
HWY_INLINE void add_row_to_sums(const KMeansPlan& plan, const PatchLines& lines, std::int64_t n_cols,
                                const KMeansScratch& scratch) {
    if (plan.want_prefixes()) add_patches_to_sums(plan, lines, n_cols, scratch);
    if (plan.want_integers()) add_pixels_to_sums(plan, n_cols, scratch);
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
