// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rastertide/compute/lof.hpp>

#include "compute/cpu/lof_phases.hpp"
#include "compute/cpu/lof_plan.hpp"
#include "compute/cpu/lof_scratch.hpp"

namespace rastertide::cpu {

/// Dates in a vector of the instruction set that is in use.
std::int64_t vector_dates();

/// Scores one block of locations with that instruction set.
void score_block(const PixelStack& pixels, const LofPlan& plan, const Block& block, const LofScratch& scratch,
                 const ScoreStack& scores, PhaseTimes* times);

/// The whole tile; `times`, for the benchmark, needs n_threads = 1.
void score_tile(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores, int n_threads,
                PhaseTimes* times);

}  // namespace rastertide::cpu
