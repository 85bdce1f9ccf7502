// SPDX-License-Identifier: Apache-2.0
// Rows of one date, compiled once for every instruction set.
#include "compute/cpu/kmeans_rows.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kmeans_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "compute/cpu/kmeans_assign-inl.hpp"
#include "compute/cpu/kmeans_classes-inl.hpp"
#include "compute/cpu/kmeans_distance-inl.hpp"
#include "compute/cpu/kmeans_label-inl.hpp"
#include "compute/cpu/kmeans_move-inl.hpp"
#include "compute/cpu/kmeans_prune-inl.hpp"
#include "compute/cpu/kmeans_ranges-inl.hpp"
#include "compute/cpu/kmeans_update-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

void assign_block_simd(const PixelStack& pixels, const KMeansPlan& plan, const CandidateRanges& ranges,
                       const KMeansBlock& block, const LabelStack& labels, KMeansScratch& scratch) {
    PatchLines lines(plan, scratch);
    for (std::int64_t row = block.first_row; row < block.end_row + plan.patch - 1; ++row) {
        lines.add_row(pixels, block, row);
        const std::int64_t location_row = row - plan.patch + 1;
        if (location_row < block.first_row) continue;
        label_row_of(plan, ranges, lines, block.n_cols, scratch);
        add_row_to_sums(plan, lines, block.n_cols, scratch);
        if (labels.data == nullptr) continue;
        std::copy_n(scratch.labels, block.n_cols,
                    labels.data + block.date * labels.date_stride + location_row * labels.row_stride +
                        block.first_col);
    }
}

/// Sums what the labels of a row in the scratch ask for, and keeps them in `labels`.
/// @param end  of the image. @return how many changed
template <class Label>
std::int64_t sum_row(const KMeansPlan& plan, PatchLines& lines, const float* end, std::int64_t n_cols,
                     Label* labels, const KMeansScratch& scratch) {
    if (plan.sums != KMeansSums::All) return move_row(plan, lines, end, n_cols, labels, scratch);
    add_row_to_sums(plan, lines, n_cols, scratch);
    std::copy_n(scratch.labels, n_cols, labels);
    return n_cols - std::count(scratch.labels, scratch.labels + n_cols, 0);
}

/// Goes through the rows of a block. @param label  (lines, place of the row in the tile): fills
/// scratch.labels
template <class Label, class LabelRow>
std::int64_t reassign_rows(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                           Label* labels, const KMeansScratch& scratch, LabelRow label) {
    PatchLines lines(plan, scratch);
    const float* end = pixels.data + pixels.n_dates * pixels.n_bands * pixels.n_rows * pixels.n_cols;
    std::int64_t n_changed = 0;
    for (std::int64_t row = block.first_row; row < block.end_row + plan.patch - 1; ++row) {
        lines.add_row(pixels, block, row);
        const std::int64_t location_row = row - plan.patch + 1;
        if (location_row < block.first_row) continue;
        const std::int64_t place = (block.date * plan.n_rows + location_row) * plan.n_cols + block.first_col;
        label(lines, place);
        n_changed += sum_row(plan, lines, end, block.n_cols, labels + place, scratch);
    }
    return n_changed;
}

template <class Label>
std::int64_t reassign_plainly(const PixelStack& pixels, const KMeansPlan& plan, const CandidateRanges& ranges,
                              const KMeansBlock& block, Label* labels, const KMeansScratch& scratch) {
    return reassign_rows(pixels, plan, block, labels, scratch, [&](const PatchLines& lines, std::int64_t) {
        label_row_of(plan, ranges, lines, block.n_cols, scratch);
    });
}

/// Copies what is kept of a row into the scratch, and marks the columns past its end.
template <class Kept, class Row>
void load_row(const Kept* kept, const KMeansPlan& plan, std::int64_t n_cols, Row past_end, Row* row) {
    std::copy_n(kept, n_cols, row);
    std::fill(row + n_cols, row + plan.line_floats, past_end);
}

std::int64_t reassign_by_margins_simd(const PixelStack& pixels, const KMeansPlan& plan, const PruneStep& step,
                                      const KMeansBlock& block, std::uint8_t* labels, PatchMargins& margins,
                                      KMeansScratch& scratch) {
    const auto label = [&](const PatchLines& lines, std::int64_t place) {
        std::uint8_t* classes = margins.classes.data() + place;
        if (step.new_classes) {
            class_row(plan, margins, lines, block.n_cols, scratch);
            std::copy_n(scratch.classes, block.n_cols, classes);
        }
        // The margins of what lies past the last column never fail.
        load_row(classes, plan, block.n_cols, std::uint8_t{PatchMargins::kVoid}, scratch.classes);
        load_row(labels + place, plan, block.n_cols, std::uint16_t{0}, scratch.labels);
        load_row(margins.margins.data() + place, plan, block.n_cols, kVoidMargin, scratch.margins);
        prune_row(plan, step, lines, block.n_cols, scratch);
        std::copy_n(scratch.margins, block.n_cols, margins.margins.data() + place);
    };
    return reassign_rows(pixels, plan, block, labels, scratch, label);
}

std::int64_t reassign_narrow_simd(const PixelStack& pixels, const KMeansPlan& plan,
                                  const CandidateRanges& ranges, const KMeansBlock& block,
                                  std::uint8_t* labels, KMeansScratch& scratch) {
    return reassign_plainly(pixels, plan, ranges, block, labels, scratch);
}

std::int64_t reassign_wide_simd(const PixelStack& pixels, const KMeansPlan& plan,
                                const CandidateRanges& ranges, const KMeansBlock& block,
                                std::uint16_t* labels, KMeansScratch& scratch) {
    return reassign_plainly(pixels, plan, ranges, block, labels, scratch);
}

void distances_of_block_simd(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                             const ScoreStack& distances, KMeansScratch& scratch) {
    PatchLines lines(plan, scratch);
    for (std::int64_t row = block.first_row; row < block.end_row + plan.patch - 1; ++row) {
        lines.add_row(pixels, block, row);
        const std::int64_t location_row = row - plan.patch + 1;
        if (location_row < block.first_row) continue;
        distance_row(plan, lines, block.n_cols, scratch.distances);
        std::copy_n(scratch.distances, block.n_cols,
                    distances.data + block.date * distances.date_stride +
                        location_row * distances.row_stride + block.first_col);
    }
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rastertide::cpu {

HWY_EXPORT(assign_block_simd);
HWY_EXPORT(reassign_narrow_simd);
HWY_EXPORT(reassign_wide_simd);
HWY_EXPORT(reassign_by_margins_simd);
HWY_EXPORT(distances_of_block_simd);

void assign_block(const PixelStack& pixels, const KMeansPlan& plan, const CandidateRanges& ranges,
                  const KMeansBlock& block, const LabelStack& labels, KMeansScratch& scratch) {
    HWY_DYNAMIC_DISPATCH(assign_block_simd)(pixels, plan, ranges, block, labels, scratch);
}

std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const CandidateRanges& ranges,
                            const KMeansBlock& block, std::uint8_t* labels, KMeansScratch& scratch) {
    return HWY_DYNAMIC_DISPATCH(reassign_narrow_simd)(pixels, plan, ranges, block, labels, scratch);
}

std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const CandidateRanges& ranges,
                            const KMeansBlock& block, std::uint16_t* labels, KMeansScratch& scratch) {
    return HWY_DYNAMIC_DISPATCH(reassign_wide_simd)(pixels, plan, ranges, block, labels, scratch);
}

std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const PruneStep& prune,
                            const KMeansBlock& block, std::uint8_t* labels, PatchMargins& margins,
                            KMeansScratch& scratch) {
    return HWY_DYNAMIC_DISPATCH(reassign_by_margins_simd)(pixels, plan, prune, block, labels, margins,
                                                          scratch);
}

void distances_of_block(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                        const ScoreStack& distances, KMeansScratch& scratch) {
    HWY_DYNAMIC_DISPATCH(distances_of_block_simd)(pixels, plan, block, distances, scratch);
}

}  // namespace rastertide::cpu
#endif
