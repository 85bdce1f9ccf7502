// SPDX-License-Identifier: Apache-2.0
#include <rastertide/core/version.hpp>

#include "pipeline/lof/lof_run.hpp"

namespace rastertide {
namespace {

Json options_json(const LofRun& run) {
    const RunLofOptions& options = run.options;
    Json json = {{"patch", options.lof.patch_size},
                 {"neighbors", options.lof.neighbors},
                 {"threshold", options.threshold.text()},
                 {"ot", options.score_type == SampleType::Float64 ? "Float64" : "Float32"},
                 {"a_nodata", json_number(options.nodata)}};
    json.update(common_options_json(run));
    return json;
}

}  // namespace

const RunKind& lof_kind() {
    static const RunKind kind = {"rastertide_lof",
                                 {kLofProduct, kAnomalyProduct, kCountProduct, kMaxProduct, kMaxDateProduct},
                                 {"summary.json", "per_date.csv", "per_date.svg"}};
    return kind;
}

Json lof_record(const LofRun& run) { return run_record(run, lof_kind(), options_json(run)); }

void write_summary(const LofRun& run, const LofSummary& summary, const RunCosts& costs) {
    Json json = {{"software", lof_kind().software},
                 {"version", kVersion},
                 {"options", options_json(run)},
                 {"dates", run.n_dates()},
                 {"left_out", left_out_json(summary.left_out)},
                 {"locations", summary.n_locations},
                 {"scores", summary.n_scores},
                 {"mean", json_number(summary.mean)},
                 {"std", json_number(summary.std)},
                 {"threshold", json_number(summary.threshold)},
                 {"anomalies", summary.n_anomalies},
                 {"anomalous_locations", summary.n_anomalous_locations}};
    add_costs(json, run, costs);
    write_text_file(run.folder.file("summary.json"), json_text(json));
}

}  // namespace rastertide
