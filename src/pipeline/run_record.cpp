// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <nlohmann/json.hpp>

#include <rastertide/core/error.hpp>
#include <rastertide/core/version.hpp>
#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/text_file.hpp>

#include "pipeline/lof_run.hpp"

namespace rastertide {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSoftware = "rastertide_lof";

/// File names may be of any bytes, JSON is UTF-8.
std::string text_of(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

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
            {"ot", options.score_type == SampleType::Float64 ? "Float64" : "Float32"},
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
    const Json record = {{"software", kSoftware},
                         {"version", kVersion},
                         {"options", options_json(run)},
                         {"grid", grid_json(run.series.grid())},
                         {"scenes", scenes_json(run.series)}};
    write_text_file(run.folder.file("run.json"), text_of(record));
}

OutputFolder::Contents contents_of_run(const std::string& outdir) {
    const std::string path = outdir + "/run.json";
    const Json record = Json::parse(read_text_file(path), nullptr, false);
    if (record.is_discarded() || !record.is_object() || record.value("software", "") != kSoftware) {
        throw InvalidArgument("'" + path +
                              "': is not the record of a rastertide_lof run; the folder is left as " +
                              "it is, name another one");
    }
    std::vector<std::string> extensions = {".vrt", ".tif", ".qml"};
    const std::string format = record.value(Json::json_pointer("/options/of"), "");
    if (!format.empty()) {
        extensions.push_back("." + format_extension(format));
        // What some formats put beside their file.
        for (const char* sidecar : {".hdr", ".prj", ".wld", ".ige", ".ovr"}) extensions.emplace_back(sidecar);
    }
    OutputFolder::Contents contents;
    contents.files = {"summary.json", "per_date.csv", "per_date.svg"};
    for (const char* product : kProducts) {
        contents.products.emplace_back(product);
        for (const std::string& extension : extensions) contents.files.push_back(product + extension);
    }
    contents.files.emplace_back("run.json");  // last: until then the folder holds a run
    return contents;
}

void write_summary(const LofRun& run, const LofSummary& summary) {
    const Json json = {{"software", kSoftware},
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
    write_text_file(run.folder.file("summary.json"), text_of(json));
}

}  // namespace rastertide
