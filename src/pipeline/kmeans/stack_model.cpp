// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/stack_model.hpp"

#include <rastertide/core/error.hpp>

#include "pipeline/kmeans/kmeans_options.hpp"

namespace rastertide {
namespace {

template <class Found, class Expected>
void require_same(const std::string& path, const char* what, const Found& found, const Expected& expected) {
    if (found == expected) return;
    throw InvalidArgument("'" + path + "': the model's " + what + " is " + found + ", this run has " +
                          expected);
}

const char* features_name(bool time) { return time ? "time" : "patch"; }

}  // namespace

KMeansModel read_stack_model(const KMeansRun& run, const std::string& path) {
    KMeansModel model = read_kmeans_model(path);
    const RunKMeansOptions& options = run.options;
    const std::string wanted_features = features_name(options.time_features);
    require_same(path, "-features", std::string(features_name(model.time_features)), wanted_features);
    require_same(path, "-patch", std::to_string(model.centers.patch_size),
                 std::to_string(options.patch_size));
    require_same(path, "number of bands", std::to_string(model.centers.n_bands),
                 std::to_string(run.n_sample_bands()));
    require_same(path, "-scale", to_string(model.scale), to_string(options.series.scale));
    return model;
}

PatchCenters read_start(const KMeansRun& run) {
    const RunKMeansOptions& options = run.options;
    const KMeansModel model = read_stack_model(run, options.init_file);
    const std::int64_t k = model.centers.n_clusters;
    if (k != options.min_clusters || k != options.max_clusters) {
        throw InvalidArgument("-init '" + options.init_file + "': has " + std::to_string(k) +
                              " centres, expected as many as -k says: " + clusters_text(options));
    }
    return model.centers;
}

}  // namespace rastertide
