// SPDX-License-Identifier: Apache-2.0
// One block of locations, compiled once for every instruction set.
#include "compute/cpu/lof_block.hpp"

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/lof_block.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "compute/cpu/lof_distances-inl.hpp"
#include "compute/cpu/lof_finish.hpp"
#include "compute/cpu/lof_pack-inl.hpp"
#include "compute/cpu/lof_select-inl.hpp"
#include "compute/cpu/lof_vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

/// A date is not its own neighbour: NaN is at no distance.
void forget_self(const LofPlan& plan, const LofScratch& scratch, const SelectPass& pass) {
    for (std::int64_t row = 0; row < pass.n_rows; ++row) {
        const std::int64_t date = pass.date + row / pass.block.n_locations();
        scratch.distances[date / kLanes * plan.distance_slab_floats + row * kLanes + date % kLanes] =
            std::numeric_limits<float>::quiet_NaN();
    }
}

void score_block_simd(const PixelStack& pixels, const LofPlan& plan, const Block& block,
                      const LofScratch& scratch, const ScoreStack& scores, PhaseTimes* times) {
    PhaseClock clock(times);
    const Block frame = plan.frame_of(block, pixels.first_row, pixels.first_col);
    const bool any_valid = pack_image(pixels, plan, frame, scratch);
    clock.lap(Phase::Pack);
    if (!any_valid) return write_nodata(plan, block, scores);

    const DistancePass distances{plan,
                                 block,
                                 frame,
                                 scratch,
                                 phase_of(pixels.first_row + block.row, plan.patch),
                                 phase_of(pixels.first_col + block.col, plan.patch)};
    for (std::int64_t date = 0; date < plan.n_dates; date += kDatesPerPass) {
        const std::int64_t n_dates = std::min(kDatesPerPass, plan.n_dates - date);
        pack_pair(plan, frame, date, date + n_dates - 1, scratch);
        find_distances(distances);
        const SelectPass pass{plan, block, scratch, date, n_dates * block.n_locations()};
        forget_self(plan, scratch, pass);
        clock.lap(Phase::Distances);
        select_neighbors(pass, clock);
    }
    finish_block(plan, block, scratch, scores);
    clock.lap(Phase::Finish);
}

std::int64_t vector_dates_simd() { return kLanes; }

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rastertide::cpu {

HWY_EXPORT(score_block_simd);
HWY_EXPORT(vector_dates_simd);

std::int64_t vector_dates() { return HWY_DYNAMIC_DISPATCH(vector_dates_simd)(); }

void score_block(const PixelStack& pixels, const LofPlan& plan, const Block& block, const LofScratch& scratch,
                 const ScoreStack& scores, PhaseTimes* times) {
    HWY_DYNAMIC_DISPATCH(score_block_simd)(pixels, plan, block, scratch, scores, times);
}

}  // namespace rastertide::cpu
#endif
