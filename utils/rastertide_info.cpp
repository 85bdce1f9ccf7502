// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <rastertide/pipeline/describe.hpp>

#include "common/lof_options.hpp"
#include "common/stack_options.hpp"
#include "common/utility.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::utils;

std::vector<OptionSpec> option_specs() {
    return joined({{{"json", 0, "", "print JSON, with every scene"}},
                   lof_option_specs(),
                   stack_option_specs(),
                   compute_option_specs()});
}

DescribeOptions describe_options(const UtilityContext& context) {
    DescribeOptions options;
    options.lof = lof_params(context.args);
    options.compute = compute_options(context.args, context.comm.node_size());
    options.compute.backend = resolve_backend(options.compute.backend);
    options.memory_limit_bytes = context.args.bytes("mem", options.memory_limit_bytes);
    options.verbose = context.args.has("v");
    options.node_size = context.comm.node_size();
    const TileSize tile = tile_size(context.args);
    options.tile_n_cols = tile.n_cols;
    options.tile_n_rows = tile.n_rows;
    return options;
}

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);  // before what follows on stderr
}

void body(UtilityContext& context) {
    const SeriesOptions stack = as_usage([&] { return stack_options(context.args); });
    const DescribeOptions options = as_usage([&] { return describe_options(context); });
    const bool as_json = context.args.has("json");
    context.on_first_rank([&] {
        try {
            const RasterSeries series = open_series(stack, context.logger);
            print(as_json ? describe_json(series, options) : describe_text(series, options));
        } catch (const GridMismatch&) {
            const std::vector<SceneDifference> differences = scene_differences(stack);
            print(as_json ? differences_json(differences) : differences_text(differences));
            throw;
        }
    });
}

}  // namespace

int main(int argc, char** argv) {
    const UtilityInfo info = {"rastertide_info", "what a raster time series is, and how a run would cut it",
                              "[options] STACK...", option_specs()};
    return run_utility(info, argc, argv, body);
}
