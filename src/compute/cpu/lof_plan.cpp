// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/lof_plan.hpp"

#include <algorithm>

#include "core/rounding.hpp"

namespace rastertide::cpu {
namespace {

// The image slice and two dates' distances of a block should stay in the second cache: 1 MB on the machines
// in view.
constexpr std::int64_t kCacheFloats = 256 * 1024;

/// From one vector of dates to the next: 16 rows of all dates are worked on at a time, and shall lie on
/// different sets of a first cache of 64 sets.
std::int64_t slab_lines(std::int64_t n_rows) {
    constexpr std::int64_t kSets = 64;
    return round_up(n_rows, kSets) + kMaxLanes;
}

std::int64_t working_floats(const LofPlan& plan) {
    const Block block = plan.whole_block();
    return plan.padded_dates() * (plan.image_rows(block) * plan.image_cols(block) * plan.n_bands +
                                  kDatesPerPass * block.n_locations());
}

}  // namespace

LofPlan::LofPlan(std::int64_t dates, std::int64_t bands, const LofParams& params, std::int64_t lanes)
    : n_dates(dates),
      n_bands(bands),
      patch(params.patch_size),
      k(params.neighbors),
      n_lanes(lanes),
      n_slabs((dates + lanes - 1) / lanes) {
    // Blocks are whole numbers of patches where patches are small, so that the prefix and suffix sums of a
    // block end with it; about 14 x 7 locations. Beyond 16 the image slice would leave every cache.
    constexpr std::int64_t kLargestBlock = 16;
    block_cols = patch <= kLargestBlock ? patch * runs_per_block(patch) : kLargestBlock;
    block_rows =
        patch <= kLargestBlock ? patch * std::max<std::int64_t>(1, (14 + patch / 2) / patch) : kLargestBlock;
    while (block_rows >= 2 * patch && working_floats(*this) > kCacheFloats) block_rows -= patch;

    distance_rows = round_up(kDatesPerPass * whole_block().n_locations(), kMaxLanes);
    distance_slab_floats = slab_lines(distance_rows) * n_lanes;
    record_bytes = record_bytes_of(k);
}

Block LofPlan::frame_of(const Block& block, std::int64_t first_row, std::int64_t first_col) const {
    if (!has_whole_blocks()) return block;
    const std::int64_t lead_rows = phase_of(first_row + block.row, patch);
    const std::int64_t lead_cols = phase_of(first_col + block.col, block_cols);
    return {block.row - lead_rows, block.col - lead_cols, round_up(lead_rows + block.n_rows, patch),
            block_cols};
}

}  // namespace rastertide::cpu
