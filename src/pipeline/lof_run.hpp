// SPDX-License-Identifier: Apache-2.0
// What the stages of a LOF run share, and the stages: one file each, in this order.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <rastertide/compute/anomaly.hpp>
#include <rastertide/pipeline/run_lof.hpp>
#include <rastertide/read/series.hpp>
#include <rastertide/reduce/communicator.hpp>
#include <rastertide/reduce/score_statistics.hpp>
#include <rastertide/tile/tiling.hpp>
#include <rastertide/write/output_folder.hpp>
#include <rastertide/write/shard.hpp>

#include "pipeline/stage_clock.hpp"
#include "pipeline/tile_loop.hpp"

namespace rastertide {

/// Names of the products: folders of their shards and stems of their files.
inline constexpr const char* kLofProduct = "lof";
inline constexpr const char* kAnomalyProduct = "anomaly";
inline constexpr const char* kCountProduct = "anomaly_count";
inline constexpr const char* kMaxProduct = "lof_max";
inline constexpr const char* kMaxDateProduct = "lof_max_date";
inline constexpr std::array kProducts = {kLofProduct, kAnomalyProduct, kCountProduct, kMaxProduct,
                                         kMaxDateProduct};

struct LofRun {
    const RunLofOptions& options;
    Communicator& comm;
    const Logger& logger;
    RasterSeries series;
    TilePlan plan;
    OutputFolder folder;
    StageClock& clock;

    std::int64_t n_dates() const { return series.n_dates(); }
    Grid shard_grid(const Tile& tile) const { return series.grid().subset(tile.shard); }
    std::string shard_file(const char* product, const Tile& tile) const {
        return folder.file(OutputFolder::shard_name(product, tile.tile_row, tile.tile_col));
    }
    ShardFormat shard_format(SampleType type, double nodata) const {
        return {type, nodata, options.format.empty() ? options.creation_options : std::vector<std::string>{}};
    }
    ShardFormat score_format() const { return shard_format(options.score_type, options.nodata); }
    std::int64_t score_bytes(const Tile& tile) const {
        return tile.shard.n_pixels() * n_dates() * std::int64_t{sizeof(float)};
    }
    /// The scores of a tile, NaN where there is none. @param scores [n_dates][shard pixels]
    void read_scores(const Tile& tile, float* scores) const {
        read_shard(shard_file(kLofProduct, tile), shard_grid(tile), n_dates(), score_format(), scores);
    }
    /// Floats that hold the largest shard of any tile at all dates; `source`: the largest read window with
    /// all bands.
    std::int64_t max_shard_values() const;
    std::int64_t max_source_values() const;
};

/// Memory that is not touched before it is used, unlike a vector's.
template <class T>
std::unique_ptr<T[]> make_buffer(std::int64_t n) {
    return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(n));
}

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

/// run.json: what the run is made from; marks the folder as a run's.
void write_run_record(const LofRun& run);
/// What the run that a folder holds has written there, from its run.json.
/// @throws InvalidArgument  run.json is not one of rastertide_lof
OutputFolder::Contents contents_of_run(const std::string& outdir);
/// Joins the shards and writes every file that users open.
void write_lof_products(const LofRun& run, const ScoreStatistics& statistics, const LofSummary& summary);
void write_summary(const LofRun& run, const LofSummary& summary);

}  // namespace rastertide
