// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run_record.hpp"

#include <rastertide/core/backend.hpp>
#include <rastertide/core/error.hpp>
#include <rastertide/core/version.hpp>
#include <rastertide/read/input_files.hpp>

#include "pipeline/grid_record.hpp"
#include "pipeline/shallow_json.hpp"
#include "pipeline/stack_run.hpp"

namespace rastertide {
namespace {

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
        if (!scene.mask.empty()) scenes.back()["mask"] = scene.mask;
    }
    return scenes;
}

/// A name that must come back as it was: where it is no UTF-8, its bytes.
Json name_json(const std::string& name) {
    const std::string kept = Json::parse(Json(name).dump(-1, ' ', false, Json::error_handler_t::replace));
    if (kept == name) return name;
    return std::vector<std::uint8_t>(name.begin(), name.end());
}

std::string name_of_json(const Json& json) {
    if (json.is_string()) return json.get<std::string>();
    const auto bytes = json.get<std::vector<std::uint8_t>>();
    return {bytes.begin(), bytes.end()};
}

Json inputs_json(const std::vector<std::string>& names) {
    Json inputs = Json::array();
    for (const InputFile& file : input_files(names))
        inputs.push_back({{"name", file.name}, {"bytes", file.bytes}, {"modified", file.modified}});
    return inputs;
}

}  // namespace

std::string json_text(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json left_out_json(const std::vector<LeftOutInput>& inputs) {
    Json json = Json::array();
    for (const LeftOutInput& input : inputs)
        json.push_back({{"name", name_json(input.name)}, {"error", input.error}});
    return json;
}

std::vector<LeftOutInput> left_out_of_json(const Json& json) {
    std::vector<LeftOutInput> inputs;
    for (const Json& input : json)
        inputs.push_back({name_of_json(input.at("name")), input.at("error").get<std::string>()});
    return inputs;
}

Json common_options_json(const StackRun& run) {
    const RunOptions& options = run.common;
    Json json = {{"scale", to_string(options.series.scale)},
                 {"bands", options.series.bands},
                 {"dataset", options.series.dataset},
                 {"device", run.devices.backends},
                 {"tile", {run.plan.tile_n_cols, run.plan.tile_n_rows}},
                 {"of", options.format},
                 {"co", options.creation_options}};
    json.update(grid_options_json(options.series));
    return json;
}

Json run_record(const StackRun& run, const RunKind& kind, const Json& options,
                const std::vector<std::string>& more_inputs) {
    std::vector<std::string> inputs = run.series.files();
    inputs.insert(inputs.end(), more_inputs.begin(), more_inputs.end());
    return {{"software", kind.software},
            {"version", kVersion},
            {"options", options},
            {"grid", grid_json(run.series.grid())},
            {"left_out", left_out_json(run.series.left_out())},
            {"scenes", scenes_json(run.series)},
            {"inputs", inputs_json(inputs)}};
}

Json read_run_record(const std::string& outdir, const RunKind& kind) {
    const std::string path = outdir + "/" + kRunRecord;
    Json record = parse_shallow<Json>(read_text_file(path));
    const bool is_of_kind = record.is_object() && record.contains("software") &&
                            record["software"] == kind.software && record.contains("options") &&
                            record["options"].is_object();
    if (!is_of_kind) {
        throw InvalidArgument("'" + path + "': is not the record of a " + kind.software +
                              " run; the folder is left as it is, name another one");
    }
    return record;
}

OutputFolder::Contents contents_of_run(const std::string& outdir, const RunKind& kind) {
    const Json record = read_run_record(outdir, kind);
    std::vector<std::string> extensions = {".vrt", ".tif", ".qml"};
    const Json format_text = record["options"].value("of", Json(""));
    const std::string format = format_text.is_string() ? format_text.get<std::string>() : "";
    if (!format.empty()) {
        extensions.push_back("." + format_extension(format));
        // What some formats put beside their file.
        for (const char* sidecar : {".hdr", ".prj", ".wld", ".ige", ".ovr"}) extensions.emplace_back(sidecar);
    }
    OutputFolder::Contents contents;
    contents.files.assign(kind.files.begin(), kind.files.end());
    for (const char* product : kind.products) {
        contents.products.emplace_back(product);
        for (const std::string& extension : extensions) contents.files.push_back(product + extension);
    }
    contents.files.emplace_back(kRunRecord);  // last: until then the folder holds a run
    return contents;
}

RunCosts reduce_costs(const StackRun& run) {
    RunCosts costs;
    costs.stages = run.clock.reduce(run.comm);
    double extremes[] = {run.clock.seconds_since_start(), static_cast<double>(peak_memory_bytes())};
    run.comm.max(extremes);
    costs.wall_seconds = extremes[0];
    costs.peak_memory_bytes = static_cast<std::int64_t>(extremes[1]);
    costs.device_errors = gather_device_errors(run.common.compute, run.comm);
    return costs;
}

void add_costs(Json& summary, const StackRun& run, const RunCosts& costs) {
    summary["device"] = run.devices.backends;
    summary["devices"] = run.devices.ranks;
    if (!costs.device_errors.empty()) summary["device_errors"] = costs.device_errors;
    summary["simd"] = simd_level();
    summary["ranks"] = run.comm.size();
    summary["threads_per_rank"] = run.common.compute.n_threads;
    summary["tiles"] = run.plan.tiles.size();
    summary["memory_limit_bytes"] = run.common.memory_limit_bytes;
    summary["peak_memory_bytes"] = costs.peak_memory_bytes;
    summary["seconds"] = costs.wall_seconds;
    Json& stages = summary["stages"] = Json::object();
    for (const StageCost& stage : costs.stages) {
        stages[stage.name] = {{"seconds", stage.seconds},
                              {"bytes", stage.bytes},
                              {"peak_memory_bytes", stage.peak_memory_bytes}};
    }
}

}  // namespace rastertide
