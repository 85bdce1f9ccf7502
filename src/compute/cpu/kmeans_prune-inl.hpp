// SPDX-License-Identifier: Apache-2.0
// One row of locations with margins: which patches may have a new label, and the scores of these alone.
//
// Lanes are columns where many margins of a group of columns fail, and centres where few do. Labels are those
// of label_row(): a margin holds more than what rounding can do, and where none is left after scores were
// computed, the label is settled as there.

#if defined(RASTERTIDE_KMEANS_PRUNE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_PRUNE_INL_HPP
#undef RASTERTIDE_KMEANS_PRUNE_INL_HPP
#else
#define RASTERTIDE_KMEANS_PRUNE_INL_HPP
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_assign-inl.hpp"
#include "compute/cpu/kmeans_classes-inl.hpp"
#include "compute/cpu/kmeans_rows.hpp"
#include "compute/cpu/lof_networks-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

inline constexpr hn::Rebind<std::uint16_t, KF> kMargin{};
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Margins hold the version of their weights below their units.
inline constexpr int kVersionBits = PatchMargins::kVersionBits;
inline constexpr std::int32_t kMostUnits = (1 << (16 - kVersionBits)) - 1;
inline constexpr std::uint16_t kVoidMargin = 65535;

/// Of the 2 kCols columns of a group: where as many margins fail, the whole group is correlated. Single
/// patches cost about twice as much each.
inline constexpr int kGroupFails = static_cast<int>(kCols);
static_assert(kLanes == kCols);

/// Margins of kCols columns after this pass's loss; bit i: that of column i failed.
HWY_INLINE std::uint32_t shrink_margins(const PruneStep& prune, const KMeansScratch& scratch,
                                        std::int64_t col) {
    const auto margin = hn::PromoteTo(kInt, hn::LoadU(kMargin, scratch.margins + col));
    const auto version = hn::And(margin, hn::Set(kInt, PatchMargins::kVersions - 1));
    const auto label = hn::PromoteTo(kInt, hn::LoadU(kMargin, scratch.labels + col));
    const auto row =
        hn::Add(hn::ShiftLeft<8>(label), hn::PromoteTo(kInt, hn::LoadU(kClass, scratch.classes + col)));
    const auto place = hn::Add(row, hn::Mul(version, hn::Set(kInt, prune.version_stride)));
    const auto loss = hn::GatherIndex(kInt, prune.losses.data(), place);
    const auto units = hn::ShiftRight<kVersionBits>(margin);
    const auto left = hn::Min(hn::Sub(units, loss), hn::Set(kInt, kMostUnits));
    // Nothing is known of a gap whose margin is 0: no gain of a pass adds to it.
    const auto failed = hn::Lt(hn::Min(left, units), hn::Set(kInt, 1));
    const auto kept = hn::Or(hn::ShiftLeft<kVersionBits>(hn::Max(left, hn::Zero(kInt))), version);
    hn::StoreU(hn::DemoteTo(kMargin, kept), kMargin, scratch.margins + col);
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(kInt, failed, bytes);
    const std::uint32_t bits = bytes[0] | static_cast<std::uint32_t>(bytes[1]) << 8;
    return bits & ((1U << kCols) - 1);
}

/// Units of margin per gap to one rival, by the own labels (from 0) of kCols patches.
HWY_INLINE hn::Vec<KF> weights_of(const PruneStep& prune, std::int64_t n_clusters, std::int64_t rival,
                                  const hn::Vec<KI> own) {
    const float* weights = prune.by_rival.data() + rival * prune.n_padded;
    if (n_clusters <= kCols) {  // one permutation against a gather of many steps
        return hn::TableLookupLanes(hn::LoadU(kPixel, weights), hn::IndicesFromVec(kPixel, own));
    }
    return hn::GatherIndex(kPixel, weights, own);
}

/// Labels and margins of kCols patches, where they are kept for a while.
struct Finished {
    const std::uint8_t* classes;
    std::uint16_t *labels, *margins;
};

/// Sets labels and margins of kCols patches.
/// @param scores  of centre k at scores[k * stride]; none is a NaN but of patches that hold one
/// @return bit i: floats cannot tell the label of patch i
HWY_INLINE std::uint32_t finish_patches(const KMeansPlan& plan, const PruneStep& prune, const float* scores,
                                        std::int64_t stride, const hn::Vec<KF> best, const hn::Vec<KU> found,
                                        const Finished& to) {
    const auto label = hn::BitCast(kInt, found);
    const auto own = hn::Max(hn::Sub(label, hn::Set(kInt, 1)), hn::Zero(kInt));
    auto least = hn::Set(kPixel, kInfinity);
    for (std::int64_t rival = 0; rival < plan.n_clusters; ++rival) {
        const auto gap = hn::Sub(hn::LoadU(kPixel, scores + rival * stride), best);
        const auto units = hn::Mul(gap, weights_of(prune, plan.n_clusters, rival, own));
        const auto is_own = hn::Eq(own, hn::Set(kInt, static_cast<std::int32_t>(rival)));
        const auto lower = hn::AndNot(hn::RebindMask(kPixel, is_own), hn::Lt(units, least));
        least = hn::IfThenElse(lower, units, least);
    }
    const auto i_class = hn::PromoteTo(kInt, hn::LoadU(kClass, to.classes));
    const auto place = hn::Add(hn::ShiftLeft<8>(label), i_class);
    const auto slack = hn::GatherIndex(kPixel, prune.slack.data(), place);
    const auto units = hn::Min(hn::Max(hn::Sub(least, slack), hn::Zero(kPixel)),
                               hn::Set(kPixel, static_cast<float>(kMostUnits)));
    const auto is_void = hn::Eq(i_class, hn::Set(kInt, PatchMargins::kVoid));
    const auto of_units =
        hn::Or(hn::ShiftLeft<kVersionBits>(hn::ConvertTo(kInt, units)), hn::Set(kInt, prune.version));
    const auto margin = hn::IfThenElse(is_void, hn::Set(kInt, kVoidMargin), of_units);
    hn::StoreU(hn::DemoteTo(kMargin, margin), kMargin, to.margins);
    hn::StoreU(hn::DemoteTo(kMargin, label), kMargin, to.labels);
    return open_bits(hn::Le(least, hn::GatherIndex(kPixel, prune.rounding.data(), place)));
}

/// Labels and margins of the 2 kCols columns from `col` on, lanes along the columns. Lists those that are
/// open.
HWY_NOINLINE void score_group(const KMeansPlan& plan, const PruneStep& prune, const PatchLines& lines,
                              std::int64_t col, const KMeansScratch& scratch, std::int64_t& n_open) {
    const Nearest nearest = find_nearest<Offer::InOrderKept>(plan, plan.centers, 0, plan.n_clusters,
                                                             lines.pixels(), col, scratch.scores);
    const auto finished = [&](std::int64_t place) {
        return Finished{scratch.classes + place, scratch.labels + place, scratch.margins + place};
    };
    std::uint64_t open = finish_patches(plan, prune, scratch.scores, 2 * kCols, nearest.best_0,
                                        nearest.label_0, finished(col));
    open |= static_cast<std::uint64_t>(finish_patches(plan, prune, scratch.scores + kCols, 2 * kCols,
                                                      nearest.best_1, nearest.label_1, finished(col + kCols)))
            << kCols;
    for (; open != 0; open &= open - 1)
        scratch.open[n_open++] = static_cast<std::int32_t>(col + std::countr_zero(open));
}

/// Patches whose scores are added up side by side, lanes along the centres: enough to hide the latency of a
/// multiply-add, and few enough to keep their addresses in registers.
inline constexpr std::int64_t kChains = std::min<std::int64_t>(kCols, 8);

/// Scores of kChains patches to the centres from `first` on, a vector each. @param scores [kChains][n_padded]
HWY_INLINE void score_chains(const KMeansPlan& plan, const PruneStep& prune, const PatchLines& lines,
                             const std::int32_t* cols, std::int64_t first, float* scores) {
    hn::Vec<KF> sums[kChains];
#pragma GCC unroll 8
    for (int j = 0; j < kChains; ++j) sums[j] = hn::LoadU(kPixel, plan.centers.half_norms.data() + first);
    const float* coefficients = plan.centers.coefficients.data() + first;
    for (std::int64_t line = 0; line < plan.row_lines; ++line) {
        const float* pixels[kChains];
#pragma GCC unroll 8
        for (int j = 0; j < kChains; ++j) pixels[j] = lines.pixels()[line] + cols[j];
        for (std::int64_t dx = 0; dx < plan.patch; ++dx, coefficients += plan.n_clusters) {
            const auto coefficient = hn::LoadU(kPixel, coefficients);
#pragma GCC unroll 8
            for (int j = 0; j < kChains; ++j) {
                sums[j] = hn::NegMulAdd(coefficient, hn::Set(kPixel, pixels[j][dx]), sums[j]);
            }
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < kChains; ++j) hn::Store(sums[j], kPixel, scores + j * prune.n_padded + first);
}

/// Scores of kCols patches. @param scores  [kCols][n_padded]
HWY_INLINE void score_batch(const KMeansPlan& plan, const PruneStep& prune, const PatchLines& lines,
                            const std::int32_t* cols, float* scores) {
    for (std::int64_t first = 0; first < plan.n_clusters; first += kCols) {
        for (std::int64_t j = 0; j < kCols; j += kChains) {
            score_chains(plan, prune, lines, cols + j, first, scores + j * prune.n_padded);
        }
    }
}

/// Labels and margins of kCols patches from their scores by patch; `columns` takes the scores by centre.
/// @return as finish_patches()
HWY_INLINE std::uint32_t finish_batch(const KMeansPlan& plan, const PruneStep& prune, const float* scores,
                                      float* columns, const Finished& to) {
    const auto infinity = hn::Set(kPixel, kInfinity);
    auto best = infinity;
    auto label = hn::Zero(kLabel);
    for (std::int64_t first = 0; first < plan.n_clusters; first += kCols) {
        VU centers[kCols];
        transpose(reinterpret_cast<const std::uint32_t*>(scores + first), prune.n_padded, centers);
        const std::int64_t n = std::min(plan.n_clusters - first, kCols);
        for (std::int64_t k = 0; k < n; ++k) {
            const auto score = hn::BitCast(kPixel, centers[k]);
            const auto nearer = hn::Lt(score, best);
            const auto value = hn::Set(kLabel, static_cast<std::uint32_t>(first + k + 1));
            label = hn::IfThenElse(hn::RebindMask(kLabel, nearer), value, label);
            best = hn::IfThenElse(nearer, score, best);
            hn::Store(score, kPixel, columns + (first + k) * kCols);
        }
    }
    return finish_patches(plan, prune, columns, kCols, best, label, to);
}

/// Labels and margins of the listed columns. The list has room for whole vectors. Lists those that are open.
HWY_NOINLINE void score_singles(const KMeansPlan& plan, const PruneStep& prune, const PatchLines& lines,
                                std::int32_t* cols, std::int64_t n, const KMeansScratch& scratch,
                                std::int64_t& n_open) {
    std::uint8_t classes[kCols];
    std::uint16_t labels[kCols], margins[kCols];
    float* columns = scratch.scores + kCols * prune.n_padded;
    for (std::int64_t i = 0; i < n; i += kCols) {
        const std::int64_t n_batch = std::min(kCols, n - i);
        for (std::int64_t j = n_batch; j < kCols; ++j) cols[i + j] = cols[i];
        for (std::int64_t j = 0; j < kCols; ++j) classes[j] = scratch.classes[cols[i + j]];
        score_batch(plan, prune, lines, cols + i, scratch.scores);
        const std::uint32_t open =
            finish_batch(plan, prune, scratch.scores, columns, {classes, labels, margins});
        for (std::int64_t j = 0; j < n_batch; ++j) {
            scratch.labels[cols[i + j]] = labels[j];
            scratch.margins[cols[i + j]] = margins[j];
            if ((open >> j & 1) != 0) scratch.open[n_open++] = cols[i + j];
        }
    }
}

/// Labels of a row whose old labels, margins and classes are in the scratch; the margins are shrunk or new.
HWY_NOINLINE void prune_row(const KMeansPlan& plan, const PruneStep& prune, const PatchLines& lines,
                            std::int64_t n_cols, KMeansScratch& scratch) {
    std::int64_t n_singles = 0, n_open = 0;
    for (std::int64_t col = 0; col < n_cols; col += 2 * kCols) {
        std::uint64_t failed = shrink_margins(prune, scratch, col);
        failed |= static_cast<std::uint64_t>(shrink_margins(prune, scratch, col + kCols)) << kCols;
        if (failed == 0) continue;
        const bool whole = std::popcount(failed) >= kGroupFails;
        if (whole) {
            score_group(plan, prune, lines, col, scratch, n_open);
            continue;
        }
        for (; failed != 0; failed &= failed - 1) {
            scratch.changed[n_singles++] = static_cast<std::int32_t>(col + std::countr_zero(failed));
        }
    }
    score_singles(plan, prune, lines, scratch.changed, n_singles, scratch, n_open);
    settle_open(plan, lines, n_open, scratch);
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
