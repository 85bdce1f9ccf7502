// SPDX-License-Identifier: Apache-2.0
// What the stages of a LOF run share, and the stages: one file each, in this order.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <rastertide/compute/anomaly.hpp>
#include <rastertide/pipeline/run_lof.hpp>
#include <rastertide/reduce/score_statistics.hpp>

#include "pipeline/stack_run.hpp"
#include "write/product_layouts.hpp"

namespace rastertide {

struct LofRun : StackRun {
    const RunLofOptions& options;

    ShardFormat score_format() const { return shard_format(options.score_type, options.nodata); }
    std::int64_t score_bytes(const Tile& tile) const {
        return tile.shard.n_pixels() * n_dates() * std::int64_t{sizeof(float)};
    }
    /// The scores of a tile, NaN where there is none. @param scores [n_dates][shard pixels]
    void read_scores(const Tile& tile, float* scores) const {
        if (!has_shard(tile)) {
            std::fill_n(scores, tile.shard.n_pixels() * n_dates(), std::numeric_limits<float>::quiet_NaN());
            return;
        }
        read_shard(shard_file(kLofProduct, tile), shard_grid(tile), n_dates(), score_format(), scores);
    }
    /// Floats that hold the largest shard of any tile at all dates.
    std::int64_t max_shard_values() const { return checked_mul(max_shard_pixels(), n_dates()); }
};

/// First pass: scores every tile and writes the shards of "lof". @return statistics over all ranks.
/// Collective.
ScoreStatistics score_tiles(LofRun& run, const ProgressFn& progress);

/// The score above which a patch is anomalous; NaN if the run has no score. Collective.
double find_threshold(LofRun& run, const ScoreStatistics& statistics, const ProgressFn& progress);

/// Anomalies of all ranks.
struct AnomalyCounts {
    std::vector<std::int64_t> by_date;
    std::int64_t n_anomalous_locations = 0;
};

/// Second pass: reads the scores back and writes the shards of the masks, counts and maxima. Collective.
AnomalyCounts mark_anomalies(LofRun& run, double threshold, const ProgressFn& progress);

const RunKind& lof_kind();
/// run.json.
Json lof_record(const LofRun& run);
/// Joins the shards and writes every file that users open. Collective.
void write_lof_products(const LofRun& run, const ScoreStatistics& statistics, const LofSummary& summary);
void write_summary(const LofRun& run, const LofSummary& summary, const RunCosts& costs);

}  // namespace rastertide
