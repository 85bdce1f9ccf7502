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
    options.node_size = context.comm.node_size();
    const TileSize tile = tile_size(context.args);
    options.tile_n_cols = tile.n_cols;
    options.tile_n_rows = tile.n_rows;
    return options;
}

void body(UtilityContext& context) {
    const SeriesOptions stack = as_usage([&] { return stack_options(context.args); });
    const DescribeOptions options = as_usage([&] { return describe_options(context); });
    context.on_first_rank([&] {
        const RasterSeries series = open_series(stack, context.logger);
        const std::string text =
            context.args.has("json") ? describe_json(series, options) : describe_text(series, options);
        std::fputs(text.c_str(), stdout);
    });
}

}  // namespace

int main(int argc, char** argv) {
    const UtilityInfo info = {"rastertide_info", "what a raster time series is, and how a run would cut it",
                              "[options] STACK...", option_specs()};
    return run_utility(info, argc, argv, body);
}
