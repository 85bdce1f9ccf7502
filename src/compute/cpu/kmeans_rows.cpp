// SPDX-License-Identifier: Apache-2.0
// Rows of one date, compiled once for every instruction set.
#include "compute/cpu/kmeans_rows.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kmeans_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "compute/cpu/kmeans_assign-inl.hpp"
#include "compute/cpu/kmeans_update-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

void assign_rows_simd(const PixelStack& pixels, const KMeansPlan& plan, std::int64_t date,
                      std::int64_t first_row, std::int64_t end_row, const LabelStack& labels,
                      KMeansScratch& scratch) {
    PatchLines lines(plan, scratch);
    for (std::int64_t row = first_row; row < end_row + plan.patch - 1; ++row) {
        lines.add_row(pixels, date, row);
        const std::int64_t location_row = row - plan.patch + 1;
        if (location_row < first_row) continue;
        label_row(plan, lines, scratch.labels);
        add_row_to_sums(plan, lines, scratch);
        if (labels.data == nullptr) continue;
        std::copy_n(scratch.labels, plan.location_cols,
                    labels.data + date * labels.date_stride + location_row * labels.row_stride);
    }
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rastertide::cpu {

HWY_EXPORT(assign_rows_simd);

void assign_rows(const PixelStack& pixels, const KMeansPlan& plan, std::int64_t date, std::int64_t first_row,
                 std::int64_t end_row, const LabelStack& labels, KMeansScratch& scratch) {
    HWY_DYNAMIC_DISPATCH(assign_rows_simd)(pixels, plan, date, first_row, end_row, labels, scratch);
}

}  // namespace rastertide::cpu
#endif
