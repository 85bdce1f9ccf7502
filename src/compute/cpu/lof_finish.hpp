// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rastertide/compute/lof.hpp>

#include "compute/cpu/lof_plan.hpp"
#include "compute/cpu/lof_scratch.hpp"

namespace rastertide::cpu {

/// Turns the records of a block's locations into scores and writes them out.
void finish_block(const LofPlan& plan, const Block& block, const LofScratch& scratch,
                  const ScoreStack& scores);

/// Writes NaN for every date of a block.
void write_nodata(const LofPlan& plan, const Block& block, const ScoreStack& scores);

}  // namespace rastertide::cpu
