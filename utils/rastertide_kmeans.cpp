// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include <rastertide/pipeline/run_kmeans.hpp>
#include <rastertide/write/mosaic.hpp>

#include "common/kmeans_options.hpp"
#include "common/run_options.hpp"
#include "common/stack_options.hpp"
#include "common/utility.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::utils;

std::vector<OptionSpec> option_specs() {
    return joined({{{"o", 1, "OUTDIR", "folder for the products"}},
                   kmeans_option_specs(),
                   {{"of", 1, "FORMAT", "write the labels also as one file of this format"},
                    {"co", 1, "NAME=VALUE", "creation option of the files", true},
                    {"overwrite", 0, "", "replace the run that OUTDIR holds"},
                    {"resume", 0, "", "go on with the run that OUTDIR holds, if it was stopped"}},
                   stack_option_specs(),
                   compute_option_specs()});
}

RunKMeansOptions run_options(const UtilityContext& context) {
    RunKMeansOptions options;
    set_run_options(options, context.args, context.comm.node_size());
    set_kmeans_options(options, context.args);
    options.validate();
    return options;
}

void print_summary(const KMeansSummary& summary, const RunKMeansOptions& options) {
    for (const ElbowPoint& point : summary.elbow) {
        std::printf("k %lld: energy %.9g after %lld iterations%s\n", static_cast<long long>(point.k),
                    point.energy, static_cast<long long>(point.iterations),
                    summary.has_knee && point.k == summary.k ? " (knee)" : "");
    }
    std::printf("%lld patches at %lld locations in %lld clusters of",
                static_cast<long long>(summary.n_patches), static_cast<long long>(summary.n_locations),
                static_cast<long long>(summary.k));
    constexpr std::size_t kMostShown = 20;
    for (std::size_t k = 0; k < std::min(kMostShown, summary.sizes.size()); ++k)
        std::printf(" %lld", static_cast<long long>(summary.sizes[k]));
    std::printf("%s\n", summary.sizes.size() > kMostShown ? " ..." : "");
    std::printf("%.1f s, %lld MB at most in a rank; open %s/labels.vrt\n", summary.wall_seconds,
                static_cast<long long>(summary.peak_memory_bytes >> 20), options.outdir.c_str());
}

void body(UtilityContext& context) {
    const RunKMeansOptions options = as_usage([&] { return run_options(context); });
    const KMeansSummary summary = run_kmeans(options, context.comm, context.logger, context.progress);
    if (context.speaks) print_summary(summary, options);
}

}  // namespace

int main(int argc, char** argv) {
    const UtilityInfo info = {"rastertide_kmeans", "clusters of a raster time series by K-Means",
                              "[options] -o OUTDIR STACK...", option_specs()};
    return run_utility(info, argc, argv, body);
}
