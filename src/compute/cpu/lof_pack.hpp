// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rastertide/compute/lof.hpp>

#include "compute/cpu/lof_plan.hpp"
#include "compute/cpu/lof_scratch.hpp"

namespace rastertide::cpu {

/// Copies a block's pixels to scratch.image with the dates innermost. @return whether any pixel is valid
bool pack_image(const PixelStack& pixels, const LofPlan& plan, const Block& block, const LofScratch& scratch);

/// Copies the image at two dates to scratch.pair.
void pack_pair(const LofPlan& plan, const Block& block, std::int64_t date_0, std::int64_t date_1,
               const LofScratch& scratch);

}  // namespace rastertide::cpu
