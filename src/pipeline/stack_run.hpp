// SPDX-License-Identifier: Apache-2.0
// What all runs over a stack share, and the steps that come before their stages.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <rastertide/core/checked.hpp>
#include <rastertide/core/log.hpp>
#include <rastertide/pipeline/run_options.hpp>
#include <rastertide/read/series.hpp>
#include <rastertide/reduce/communicator.hpp>
#include <rastertide/tile/tiling.hpp>
#include <rastertide/write/output_folder.hpp>
#include <rastertide/write/shard.hpp>

#include "core/large_buffer.hpp"
#include "pipeline/run_devices.hpp"
#include "pipeline/run_record.hpp"
#include "pipeline/stage_clock.hpp"
#include "pipeline/tile_loop.hpp"

namespace rastertide {

struct StackRun {
    const RunOptions& common;
    Communicator& comm;
    const Logger& logger;
    RasterSeries series;
    TilePlan plan;
    OutputFolder folder;
    StageClock& clock;
    /// run.json that this process has written, on the first rank: what it may replace. Empty before.
    std::string& own_record;
    bool resumed = false;  ///< the folder holds what an earlier call of the same run has finished
    /// [tiles]: 0 where no location has a result, and so no shard: products have nodata there. Empty before
    /// the pass that finds out.
    std::vector<std::int64_t> has_results = {};
    RunDevices devices = {};  ///< from before the folder is prepared

    std::int64_t n_dates() const { return series.n_dates(); }
    /// Logs on the first rank only.
    void say(LogLevel level, const std::string& message) const {
        log(comm.rank() == 0 ? logger : Logger{}, level, message);
    }
    /// What the run works on.
    void say_plan() const;
    std::size_t place_of(const Tile& tile) const {
        return static_cast<std::size_t>(tile.tile_row * plan.n_tile_cols + tile.tile_col);
    }
    bool has_shard(const Tile& tile) const { return has_results.empty() || has_results[place_of(tile)] != 0; }
    Grid shard_grid(const Tile& tile) const { return series.grid().subset(tile.shard); }
    std::string shard_file(const char* product, const Tile& tile) const {
        return folder.file(OutputFolder::shard_name(product, tile.tile_row, tile.tile_col));
    }
    ShardFormat shard_format(SampleType type, double nodata) const {
        return {type, nodata, common.format.empty() ? common.creation_options : std::vector<std::string>{}};
    }
    /// Pixels of the largest shard of any tile; floats that hold the largest read window at all dates with
    /// all bands.
    std::int64_t max_shard_pixels() const;
    std::int64_t max_source_values() const;
    std::int64_t source_values(const Tile& tile) const {
        return checked_mul(tile.source.n_pixels(), n_dates(), series.n_bands());
    }
    /// Reads a tile's pixels with their halo. @param pixels [n_dates][n_bands][source pixels]
    void read_pixels(const Tile& tile, float* pixels);
};

/// A part of the whole job's progress.
inline ProgressFn part_of(const ProgressFn& progress, double from, double to) {
    if (!progress) return {};
    return [=](double fraction) { progress(from + fraction * (to - from)); };
}

/// Opens the stack that a run is asked for; the first rank warns of what it lacks.
RasterSeries open_stack(const RunOptions& options, const Communicator& comm, const Logger& logger);

/// Tries what could fail at the end, then makes the output folder with `record` as its run.json; an earlier
/// run goes if -overwrite says so, and goes on if -resume says so and it is the same. Collective.
/// @param record  called on the first rank
void prepare_folder(StackRun& run, const RunKind& kind, const std::function<Json()>& record);

/// At a run's end, where it is seen.
void warn_of_left_out(const StackRun& run);

/// Joins the shards of a product with a band a date into its VRT and, with -of, one file. Collective.
void write_date_product(const StackRun& run, Product product);
/// Joins the shards of a product into a VRT at `path`. @param prefix  from the VRT's folder to the run's
void write_product_mosaic(const StackRun& run, const std::string& path, const Product& product,
                          const std::string& prefix);

}  // namespace rastertide
