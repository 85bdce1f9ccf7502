// SPDX-License-Identifier: Apache-2.0
// run.json and summary.json: what all runs write into them.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <rastertide/pipeline/summary.hpp>
#include <rastertide/read/series.hpp>
#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/output_folder.hpp>
#include <rastertide/write/text_file.hpp>

namespace rastertide {

using Json = nlohmann::ordered_json;

struct StackRun;

/// The mark of a run's folder; tells what the run is made from.
inline constexpr const char* kRunRecord = "run.json";

/// Which utility a run is one of, and what it leaves in its folder.
struct RunKind {
    const char* software;
    std::vector<const char*> products;  ///< names: each has shards, and files at the top
    std::vector<std::string> files;     ///< further files at the top
};

/// JSON has no NaN: null in its place.
inline Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
/// File names may be of any bytes, JSON is UTF-8.
std::string json_text(const Json& json);

/// Of RasterSeries::left_out().
Json left_out_json(const std::vector<LeftOutInput>& inputs);
/// @throws Json::exception  it is not what left_out_json() makes
std::vector<LeftOutInput> left_out_of_json(const Json& json);

/// Options that all utilities have.
Json common_options_json(const StackRun& run);
/// run.json. @param more_inputs  files beside the stack's
Json run_record(const StackRun& run, const RunKind& kind, const Json& options,
                const std::vector<std::string>& more_inputs = {});
/// The run.json of a folder. @throws InvalidArgument  it is not one of this kind
Json read_run_record(const std::string& outdir, const RunKind& kind);
/// What the run that a folder holds has written there, from its run.json.
/// @throws InvalidArgument  run.json is not one of this kind
OutputFolder::Contents contents_of_run(const std::string& outdir, const RunKind& kind);

/// What a run took, over all ranks.
struct RunCosts {
    std::vector<StageCost> stages;
    double wall_seconds = 0;
    std::int64_t peak_memory_bytes = 0;
    std::vector<std::string> device_errors;  ///< after which the CPU went on
};
/// Collective.
RunCosts reduce_costs(const StackRun& run);
template <class Summary>
void set_costs(Summary& summary, const RunCosts& costs) {
    summary.wall_seconds = costs.wall_seconds;
    summary.peak_memory_bytes = costs.peak_memory_bytes;
    summary.stages = costs.stages;
}
/// Adds how the results were made, and what that took, to a summary.
void add_costs(Json& summary, const StackRun& run, const RunCosts& costs);

}  // namespace rastertide
