// SPDX-License-Identifier: Apache-2.0
#include <rastertide/core/version.hpp>

#include "pipeline/kmeans/fit_state.hpp"
#include "pipeline/kmeans/kmeans_options.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {
namespace {

Json options_json(const KMeansRun& run) {
    const RunKMeansOptions& options = run.options;
    Json json = {{"patch", options.patch_size}, {"features", options.time_features ? "time" : "patch"}};
    if (options.model_file.empty()) {
        json.update({{"k", {options.min_clusters, options.max_clusters}},
                     {"algorithm", to_string(options.algorithm)},
                     {"init", options.init == KMeansInit::File ? options.init_file : to_string(options.init)},
                     {"n_init", options.n_init},
                     {"max_iter", options.max_iter},
                     {"tol", options.tol},
                     {"seed", options.seed}});
        if (options.algorithm == KMeansAlgorithm::BatchParallel) json["parts"] = options.parts;
    } else {
        json["model"] = options.model_file;
    }
    json["lazy"] = options.lazy;
    json.update(common_options_json(run));
    return json;
}

Json elbow_json(const KMeansSummary& summary) {
    Json points = Json::array();
    for (const ElbowPoint& point : summary.elbow) {
        points.push_back(
            {{"k", point.k}, {"energy", json_number(point.energy)}, {"iterations", point.iterations}});
    }
    return points;
}

Json dates_json(const KMeansSummary& summary) {
    Json dates = Json::array();
    for (const DateLabels& date : summary.dates) {
        dates.push_back({{"date", date.date.empty() ? Json(nullptr) : Json(date.date)},
                         {"scene", date.scene},
                         {"sizes", date.counts}});
    }
    return dates;
}

}  // namespace

const RunKind& kmeans_kind() {
    static const RunKind kind = [] {
        RunKind all{"rastertide_kmeans",
                    {kLabelProduct},
                    {"summary.json", "centers.json", "centers.tif", "centers.tif.aux.xml", "elbow.csv",
                     "elbow.svg", FitState::kFileName}};
        for (const std::string& name : lazy_file_names()) all.files.push_back(name);
        return all;
    }();
    return kind;
}

Json kmeans_record(const KMeansRun& run) {
    std::vector<std::string> models;
    for (const std::string& file : {run.options.model_file, run.options.init_file}) {
        if (!file.empty()) models.push_back(file);
    }
    return run_record(run, kmeans_kind(), options_json(run), models);
}

void write_summary(const KMeansRun& run, const KMeansSummary& summary, const RunCosts& costs) {
    Json json = {{"software", kmeans_kind().software},
                 {"version", kVersion},
                 {"options", options_json(run)},
                 {"dates", run.n_dates()},
                 {"left_out", left_out_json(summary.left_out)},
                 {"locations", summary.n_locations},
                 {"patches", summary.n_patches},
                 {"k", summary.k},
                 {"energy", json_number(summary.energy)},
                 {"iterations", summary.iterations},
                 {"sizes", summary.sizes},
                 {"elbow", elbow_json(summary)},
                 {"knee", summary.has_knee ? Json(summary.k) : Json(nullptr)},
                 {"labels", dates_json(summary)}};
    add_costs(json, run, costs);
    write_text_file(run.folder.file("summary.json"), json_text(json));
}

}  // namespace rastertide
