// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/lof_plan.hpp"

#include <algorithm>

namespace rastertide::cpu {
namespace {

constexpr std::int64_t kLineFloats = 16;

// The image slice and two dates' distances of a block should stay in the second cache: 1 MB on the machines
// in view.
constexpr std::int64_t kCacheFloats = 256 * 1024;

std::int64_t round_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

/// An odd number of cache lines: rows must not fall on the same sets of the cache.
std::int64_t odd_lines(std::int64_t n_floats) {
    const std::int64_t n_lines = (n_floats + kLineFloats - 1) / kLineFloats;
    return (n_lines | 1) * kLineFloats;
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
    block_cols = patch <= kLargestBlock ? patch * std::max<std::int64_t>(1, 8 / patch) : kLargestBlock;
    block_rows =
        patch <= kLargestBlock ? patch * std::max<std::int64_t>(1, (14 + patch / 2) / patch) : kLargestBlock;
    while (block_rows >= 2 * patch && working_floats(*this) > kCacheFloats) block_rows -= patch;

    distance_stride = odd_lines(n_slabs * n_lanes);
    record_bytes = round_up(k * static_cast<std::int64_t>(sizeof(float) + sizeof(std::uint16_t)), 16);
}

}  // namespace rastertide::cpu
