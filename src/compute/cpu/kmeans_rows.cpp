// SPDX-License-Identifier: Apache-2.0
// Rows of one date, compiled once for every instruction set.
#include "compute/cpu/kmeans_rows.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kmeans_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "compute/cpu/kmeans_assign-inl.hpp"
#include "compute/cpu/kmeans_distance-inl.hpp"
#include "compute/cpu/kmeans_move-inl.hpp"
#include "compute/cpu/kmeans_prune-inl.hpp"
#include "compute/cpu/kmeans_update-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

void assign_block_simd(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                       const LabelStack& labels, KMeansScratch& scratch) {
    PatchLines lines(plan, scratch);
    for (std::int64_t row = block.first_row; row < block.end_row + plan.patch - 1; ++row) {
        lines.add_row(pixels, block, row);
        const std::int64_t location_row = row - plan.patch + 1;
        if (location_row < block.first_row) continue;
        label_row(plan, lines, block.n_cols, scratch.labels);
        add_row_to_sums(plan, lines, block.n_cols, scratch);
        if (labels.data == nullptr) continue;
        std::copy_n(scratch.labels, block.n_cols,
                    labels.data + block.date * labels.date_stride + location_row * labels.row_stride +
                        block.first_col);
    }
}

template <class Label>
std::int64_t reassign_rows(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                           Label* labels, KMeansScratch& scratch) {
    PatchLines lines(plan, scratch);
    const float* end = pixels.data + pixels.n_dates * pixels.n_bands * pixels.n_rows * pixels.n_cols;
    std::int64_t n_changed = 0;
    for (std::int64_t row = block.first_row; row < block.end_row + plan.patch - 1; ++row) {
        lines.add_row(pixels, block, row);
        const std::int64_t location_row = row - plan.patch + 1;
        if (location_row < block.first_row) continue;
        label_row(plan, lines, block.n_cols, scratch.labels);
        Label* kept = labels + (block.date * plan.n_rows + location_row) * plan.n_cols + block.first_col;
        if (plan.sums == KMeansSums::All) {
            add_row_to_sums(plan, lines, block.n_cols, scratch);
            n_changed += block.n_cols - std::count(scratch.labels, scratch.labels + block.n_cols, 0);
            std::copy_n(scratch.labels, block.n_cols, kept);
        } else {
            n_changed += move_row(plan, lines, end, block.n_cols, kept, scratch);
        }
    }
    return n_changed;
}

std::int64_t reassign_pruned_simd(const PixelStack& pixels, const KMeansPlan& plan, const PruneStep& prune,
                                  const KMeansBlock& block, std::uint8_t* labels, PatchMargins& margins,
                                  KMeansScratch& scratch) {
    PatchLines lines(plan, scratch);
    const float* end = pixels.data + pixels.n_dates * pixels.n_bands * pixels.n_rows * pixels.n_cols;
    // What lies past the last column of a row never fails.
    std::fill_n(scratch.classes, plan.line_floats, static_cast<std::uint8_t>(PatchMargins::kVoid));
    std::int64_t n_changed = 0;
    for (std::int64_t row = block.first_row; row < block.end_row + plan.patch - 1; ++row) {
        lines.add_row(pixels, block, row);
        const std::int64_t location_row = row - plan.patch + 1;
        if (location_row < block.first_row) continue;
        const std::int64_t place = (block.date * plan.n_rows + location_row) * plan.n_cols + block.first_col;
        std::uint16_t* kept_margins = margins.margins.data() + place;
        std::uint8_t* kept_classes = margins.classes.data() + place;
        if (prune.new_classes) {
            class_row(plan, margins, lines, block.n_cols, scratch.classes);
            std::copy_n(scratch.classes, block.n_cols, kept_classes);
        }
        std::copy_n(kept_classes, block.n_cols, scratch.classes);
        std::copy_n(labels + place, block.n_cols, scratch.labels);
        std::fill(scratch.labels + block.n_cols, scratch.labels + plan.line_floats, std::uint16_t{0});
        std::copy_n(kept_margins, block.n_cols, scratch.margins);
        std::fill(scratch.margins + block.n_cols, scratch.margins + plan.line_floats, kVoidMargin);
        prune_row(plan, prune, lines, block.n_cols, scratch);
        std::copy_n(scratch.margins, block.n_cols, kept_margins);
        n_changed += move_row(plan, lines, end, block.n_cols, labels + place, scratch);
    }
    return n_changed;
}

std::int64_t reassign_narrow_simd(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                                  std::uint8_t* labels, KMeansScratch& scratch) {
    return reassign_rows(pixels, plan, block, labels, scratch);
}

std::int64_t reassign_wide_simd(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                                std::uint16_t* labels, KMeansScratch& scratch) {
    return reassign_rows(pixels, plan, block, labels, scratch);
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
HWY_EXPORT(reassign_pruned_simd);
HWY_EXPORT(distances_of_block_simd);

void assign_block(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                  const LabelStack& labels, KMeansScratch& scratch) {
    HWY_DYNAMIC_DISPATCH(assign_block_simd)(pixels, plan, block, labels, scratch);
}

std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                            std::uint8_t* labels, KMeansScratch& scratch) {
    return HWY_DYNAMIC_DISPATCH(reassign_narrow_simd)(pixels, plan, block, labels, scratch);
}

std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                            std::uint16_t* labels, KMeansScratch& scratch) {
    return HWY_DYNAMIC_DISPATCH(reassign_wide_simd)(pixels, plan, block, labels, scratch);
}

std::int64_t reassign_block(const PixelStack& pixels, const KMeansPlan& plan, const PruneStep& prune,
                            const KMeansBlock& block, std::uint8_t* labels, PatchMargins& margins,
                            KMeansScratch& scratch) {
    return HWY_DYNAMIC_DISPATCH(reassign_pruned_simd)(pixels, plan, prune, block, labels, margins, scratch);
}

void distances_of_block(const PixelStack& pixels, const KMeansPlan& plan, const KMeansBlock& block,
                        const ScoreStack& distances, KMeansScratch& scratch) {
    HWY_DYNAMIC_DISPATCH(distances_of_block_simd)(pixels, plan, block, distances, scratch);
}

}  // namespace rastertide::cpu
#endif
