// SPDX-License-Identifier: Apache-2.0
// Runs over a stack that is not there: the pipeline's plan, tile loop, partial results and order of calls,
// with work that only moves a rank's clock.
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/reduce/patch_sums.hpp>
#include <rastertide/reduce/score_statistics.hpp>
#include <rastertide/tile/tiling.hpp>

#include "support/dry_run_ranks.hpp"

namespace rastertide::testing_support {

/// What a rank needs for its parts of the work. Times are virtual.
struct WorkModel {
    double lof_s_per_location = 46e-6;  ///< docs/performance.md: T = 363, 7 x 7, k = 10, one core
    double kmeans_patches_per_s = 1e8;  ///< docs/performance.md: 104 to 230 M/s a core
    double read_bytes_per_s = 5e8;      ///< of a rank
    double write_bytes_per_s = 5e8;     ///< of a rank
    double shared_bytes_per_s = 0;      ///< of all ranks together, in equal parts; 0 = no limit
    double products_s_per_pixel =
        7e-7;  ///< three products, each by one rank: measured, docs/design/11-scaling.md
    double mask_s_per_score = 5e-9;  ///< the second pass of the LOF: assumed, of 2 to 10 ns measured
    double spread = 0.1;             ///< a tile takes up to so much less or more, by its number
};

struct SimulatedStack {
    std::int64_t n_dates = 0;
    TilePlan plan;
    std::int64_t n_pixels() const;
};

/// Virtual times of a rank.
struct LofTimes {
    double own_tiles_s = 0;                            ///< when the rank's last tile was scored
    double scored_s = 0, marked_s = 0, written_s = 0;  ///< when a stage had ended on all ranks
    double longest_wait_s = 0;                         ///< for a ticket
    std::int64_t n_tiles = 0;                          ///< that it scored
};

/// A rank's part of rastertide_lof, from its stack's opening to its end. Each tile adds some scores that hang
/// on its number alone.
/// @param statistics  out, of all ranks
LofTimes simulate_lof(DryRunRank& rank, const SimulatedStack& stack, const WorkModel& work,
                      ScoreStatistics& statistics);

struct SimulatedFit {
    std::int64_t n_clusters = 10;
    std::int64_t n_features = 49;
    std::int64_t n_iterations = 10;
    bool keeps_pixels = true;  ///< -mem holds a rank's tiles: they are read once
};

/// Its part of the iterations of rastertide_kmeans -algorithm lloyd, for one fit. Each tile adds some patches
/// that hang on its number alone.
/// @return the sums of all ranks
PatchSums simulate_lloyd(DryRunRank& rank, const SimulatedStack& stack, const SimulatedFit& fit,
                         const WorkModel& work);

}  // namespace rastertide::testing_support
