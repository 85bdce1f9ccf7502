// SPDX-License-Identifier: Apache-2.0
// Moves the patches of one row of locations whose label changed from their old cluster to the new one.
//
// A run [a, b) of columns that all went from one cluster to another moves as P[b + dx] - P[a + dx], with the
// prefix sums P of the image rows. Where few labels changed, prefix sums of whole rows cost more than they
// save: patches move singly then, straight from the image.

#if defined(RASTERTIDE_KMEANS_MOVE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_MOVE_INL_HPP
#undef RASTERTIDE_KMEANS_MOVE_INL_HPP
#else
#define RASTERTIDE_KMEANS_MOVE_INL_HPP
#endif

#include <algorithm>
#include <bit>
#include <cstdint>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_assign-inl.hpp"
#include "compute/cpu/kmeans_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Where more than one patch in this many changed its label, prefix sums pay: measured for p = 7, K = 10.
inline constexpr std::int64_t kFewChanges = 12;

/// Labels are compared as vectors of 16 bits, whatever they are kept in.
HWY_INLINE hn::Vec<hn::CappedTag<std::uint16_t, 32>> load_labels(const std::uint16_t* labels) {
    return hn::LoadU(hn::CappedTag<std::uint16_t, 32>(), labels);
}
HWY_INLINE hn::Vec<hn::CappedTag<std::uint16_t, 32>> load_labels(const std::uint8_t* labels) {
    const hn::CappedTag<std::uint16_t, 32> d;
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<std::uint8_t, decltype(d)>(), labels));
}

/// Lists the columns where two rows of labels differ. @return their number
template <class Label>
HWY_INLINE std::int64_t list_changes(const std::uint16_t* labels, const Label* old_labels,
                                     std::int64_t n_cols, std::int32_t* changed) {
    const hn::CappedTag<std::uint16_t, 32> d;
    constexpr auto kStep = static_cast<std::int64_t>(hn::MaxLanes(d));
    std::int64_t n = 0, col = 0;
    for (; col + kStep <= n_cols; col += kStep) {
        const auto differ = hn::Ne(hn::LoadU(d, labels + col), load_labels(old_labels + col));
        if (hn::AllFalse(d, differ)) continue;
        std::uint8_t bytes[8] = {};
        hn::StoreMaskBits(d, differ, bytes);
        for (std::int64_t first = 0; first < kStep; first += 8) {
            for (unsigned bits = bytes[first / 8]; bits != 0; bits &= bits - 1) {
                changed[n++] = static_cast<std::int32_t>(col + first + std::countr_zero(bits));
            }
        }
    }
    for (; col < n_cols; ++col) {
        if (labels[col] != old_labels[col]) changed[n++] = static_cast<std::int32_t>(col);
    }
    return n;
}

/// Moves one patch from its old cluster to the new one, of several pixels.
HWY_INLINE void move_patch(const KMeansPlan& plan, const PatchLines& lines, const float* end,
                           std::int64_t col, std::uint16_t from, std::uint16_t to,
                           const KMeansScratch& scratch) {
    --scratch.counts[from];
    ++scratch.counts[to];
    std::int64_t* from_sums = scratch.sums + from * plan.cluster_integers();
    std::int64_t* to_sums = scratch.sums + to * plan.cluster_integers();
    const KI64 d;
    float last[kMaxPatchSize + 1] = {};
    for (std::int64_t line = 0; line < plan.row_lines; ++line) {
        const float* pixels = lines.raw()[line] + col;
        if (pixels + plan.sum_stride > end) {  // whole vectors would read past the image
            std::copy_n(pixels, plan.patch, last);
            pixels = last;
        }
        for (std::int64_t dx = 0; dx < plan.patch; dx += kSumStep) {
            const auto integers = to_integers_of(plan, pixels + dx);
            hn::Store(hn::Sub(hn::Load(d, from_sums + dx), integers), d, from_sums + dx);
            hn::Store(hn::Add(hn::Load(d, to_sums + dx), integers), d, to_sums + dx);
        }
        from_sums += plan.sum_stride;
        to_sums += plan.sum_stride;
    }
}

/// Moves one patch of a single pixel: its bands lie apart.
HWY_INLINE void move_pixel(const KMeansPlan& plan, const PatchLines& lines, std::int64_t col,
                           std::uint16_t from, std::uint16_t to, const KMeansScratch& scratch) {
    --scratch.counts[from];
    ++scratch.counts[to];
    for (std::int64_t band = 0; band < plan.n_bands; ++band) {
        const float pixel = lines.raw()[band][col];
        if (pixel != pixel) continue;  // of a patch without a label, which is in no sum
        const std::int64_t integer = plan.fixed.to_integer(pixel);
        scratch.sums[from * plan.n_bands + band] -= integer;
        scratch.sums[to * plan.n_bands + band] += integer;
    }
}

/// Moves the patches of columns [first, end_col), all from one cluster to another.
HWY_INLINE void move_run(const KMeansPlan& plan, const PatchLines& lines, std::int64_t first,
                         std::int64_t end_col, std::uint16_t from, std::uint16_t to,
                         const KMeansScratch& scratch) {
    const hn::CappedTag<std::int64_t, 8> d;
    constexpr auto kStep = static_cast<std::int64_t>(hn::MaxLanes(d));
    scratch.counts[from] -= end_col - first;
    scratch.counts[to] += end_col - first;
    std::int64_t* from_sums = scratch.sums + from * plan.cluster_integers();
    std::int64_t* to_sums = scratch.sums + to * plan.cluster_integers();
    for (std::int64_t line = 0; line < plan.row_lines; ++line) {
        const std::int64_t* prefixes = lines.prefixes()[line];
        for (std::int64_t dx = 0; dx < plan.patch; dx += kStep) {
            const auto sum =
                hn::Sub(hn::LoadU(d, prefixes + end_col + dx), hn::LoadU(d, prefixes + first + dx));
            hn::Store(hn::Sub(hn::Load(d, from_sums + dx), sum), d, from_sums + dx);
            hn::Store(hn::Add(hn::Load(d, to_sums + dx), sum), d, to_sums + dx);
        }
        from_sums += plan.sum_stride;
        to_sums += plan.sum_stride;
    }
}

/// Moves the listed patches of a row by runs.
template <class Label>
HWY_NOINLINE void move_runs(const KMeansPlan& plan, const PatchLines& lines, std::int64_t n_changed,
                            const Label* old_labels, const KMeansScratch& scratch) {
    const std::int32_t* changed = scratch.changed;
    for (std::int64_t i = 0, next = 0; i < n_changed; i = next) {
        const std::int64_t first = changed[i];
        const std::uint16_t from = old_labels[first], to = scratch.labels[first];
        for (next = i + 1; next < n_changed; ++next) {
            const std::int64_t col = changed[next];
            if (col != first + next - i || old_labels[col] != from || scratch.labels[col] != to) break;
        }
        move_run(plan, lines, first, first + next - i, from, to, scratch);
    }
}

/// Moves the listed patches of single pixels through the integers of the whole row, band by band.
template <class Label>
HWY_NOINLINE void move_pixels(const KMeansPlan& plan, std::int64_t n_changed, const Label* old_labels,
                              const KMeansScratch& scratch) {
    for (std::int64_t i = 0; i < n_changed; ++i) {
        const std::int64_t col = scratch.changed[i];
        --scratch.counts[old_labels[col]];
        ++scratch.counts[scratch.labels[col]];
    }
    for (std::int64_t band = 0; band < plan.n_bands; ++band) {
        const std::int64_t* integers = scratch.integers + band * plan.line_floats;
        std::int64_t* sums = scratch.sums + band;
        for (std::int64_t i = 0; i < n_changed; ++i) {
            const std::int64_t col = scratch.changed[i];
            sums[old_labels[col] * plan.n_bands] -= integers[col];
            sums[scratch.labels[col] * plan.n_bands] += integers[col];
        }
    }
}

/// Moves the patches of a row whose label in the scratch differs from `labels`, and keeps the new labels.
/// @param end  of the image. @return how many moved
template <class Label>
HWY_NOINLINE std::int64_t move_row(const KMeansPlan& plan, PatchLines& lines, const float* end,
                                   std::int64_t n_cols, Label* labels, const KMeansScratch& scratch) {
    const std::int64_t n_changed = list_changes(scratch.labels, labels, n_cols, scratch.changed);
    if (n_changed == 0) return 0;
    if (n_changed * kFewChanges > n_cols) {
        lines.sum_lines();
        if (plan.patch == 1) {
            move_pixels(plan, n_changed, labels, scratch);
        } else {
            move_runs(plan, lines, n_changed, labels, scratch);
        }
    }
    for (std::int64_t i = 0; i < n_changed; ++i) {
        const std::int64_t col = scratch.changed[i];
        if (n_changed * kFewChanges <= n_cols) {
            if (plan.patch == 1) {
                move_pixel(plan, lines, col, labels[col], scratch.labels[col], scratch);
            } else {
                move_patch(plan, lines, end, col, labels[col], scratch.labels[col], scratch);
            }
        }
        labels[col] = static_cast<Label>(scratch.labels[col]);
    }
    return n_changed;
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
