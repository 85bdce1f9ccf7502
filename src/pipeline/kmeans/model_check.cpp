// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/model_check.hpp"

#include <rastertide/core/error.hpp>

#include "pipeline/kmeans/kmeans_options.hpp"

namespace rastertide {
namespace {

void require_same(const std::string& path, const char* what, const std::string& found,
                  const std::string& expected) {
    if (found == expected) return;
    throw InvalidArgument("'" + path + "': the model's " + what + " is " + found + ", this run has " +
                          expected);
}

std::string features_name(bool time) { return time ? "time" : "patch"; }

}  // namespace

void require_model_fits(const KMeansRun& run) {
    const RunKMeansOptions& options = run.options;
    const KMeansModel& model = *run.given;
    const bool starts = options.model_file.empty();
    const std::string& path = starts ? options.init_file : options.model_file;
    require_same(path, "-features", features_name(model.time_features), features_name(options.time_features));
    require_same(path, "-patch", std::to_string(model.centers.patch_size),
                 std::to_string(options.patch_size));
    require_same(path, "number of bands", std::to_string(model.centers.n_bands),
                 std::to_string(run.n_sample_bands()));
    require_same(path, "-scale", to_string(model.scale), to_string(options.series.scale));
    if (starts) require_same(path, "-k", std::to_string(model.centers.n_clusters), clusters_text(options));
}

}  // namespace rastertide
