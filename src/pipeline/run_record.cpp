// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <nlohmann/json.hpp>

#include <rastertide/core/version.hpp>
#include <rastertide/write/text_file.hpp>

#include "pipeline/lof_run.hpp"

namespace rastertide {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no NaN.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json options_json(const LofRun& run) {
    const RunLofOptions& options = run.options;
    return {{"patch", options.lof.patch_size},
            {"neighbors", options.lof.neighbors},
            {"threshold", options.threshold.text()},
            {"scale", options.series.scale == PixelScale::Db ? "db" : "linear"},
            {"bands", options.series.bands},
            {"device", to_string(options.compute.backend)},
            {"tile", {run.plan.tile_n_cols, run.plan.tile_n_rows}},
            {"a_nodata", number(options.nodata)},
            {"of", options.format},
            {"co", options.creation_options}};
}

Json grid_json(const Grid& grid) {
    return {{"size", {grid.n_cols, grid.n_rows}},
            {"geotransform", grid.has_geotransform ? Json(grid.geotransform.c) : Json(nullptr)},
            {"crs_wkt", grid.crs_wkt}};
}

Json scenes_json(const RasterSeries& series) {
    Json scenes = Json::array();
    for (const SceneInfo& scene : series.scenes()) {
        scenes.push_back(
            {{"name", scene.name}, {"date", scene.date ? Json(scene.date->iso()) : Json(nullptr)}});
    }
    return scenes;
}

Json stages_json(const LofSummary& summary) {
    Json stages = Json::object();
    for (const StageCost& stage : summary.stages) {
        stages[stage.name] = {{"seconds", stage.seconds},
                              {"bytes", stage.bytes},
                              {"peak_memory_bytes", stage.peak_memory_bytes}};
    }
    return stages;
}

}  // namespace

void write_run_record(const LofRun& run) {
    const Json record = {{"software", "rastertide_lof"},
                         {"version", kVersion},
                         {"options", options_json(run)},
                         {"grid", grid_json(run.series.grid())},
                         {"scenes", scenes_json(run.series)}};
    write_text_file(run.folder.file("run.json"), record.dump(2) + "\n");
}

void write_summary(const LofRun& run, const LofSummary& summary) {
    const Json json = {{"software", "rastertide_lof"},
                       {"version", kVersion},
                       {"options", options_json(run)},
                       {"dates", run.n_dates()},
                       {"locations", summary.n_locations},
                       {"scores", summary.n_scores},
                       {"mean", number(summary.mean)},
                       {"std", number(summary.std)},
                       {"threshold", number(summary.threshold)},
                       {"anomalies", summary.n_anomalies},
                       {"anomalous_locations", summary.n_anomalous_locations},
                       {"device", to_string(run.options.compute.backend)},
                       {"simd", simd_level()},
                       {"ranks", run.comm.size()},
                       {"threads_per_rank", run.options.compute.n_threads},
                       {"tiles", summary.n_tiles},
                       {"memory_limit_bytes", run.options.memory_limit_bytes},
                       {"peak_memory_bytes", summary.peak_memory_bytes},
                       {"seconds", summary.wall_seconds},
                       {"stages", stages_json(summary)}};
    write_text_file(run.folder.file("summary.json"), json.dump(2) + "\n");
}

}  // namespace rastertide
