// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <rastertide/pipeline/run_simulate.hpp>

#include "common/stack_options.hpp"
#include "common/utility.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::utils;

std::vector<OptionSpec> option_specs() {
    return {
        {"o", 1, "FILE_OR_DIR", "an HDF5 file (.h5, .hdf5, .nc), else a folder of GeoTIFFs"},
        {"n_dates", 1, "N", "dates, six days apart from 2019-01-03 (default 60)"},
        {"outsize", 2, "COLS ROWS", "pixels of 10 m (default 256 256)"},
        {"seed", 1, "S", "another stack for every number (default 0)"},
        {"looks", 1, "L", "equivalent number of looks of the speckle (default 4)"},
        {"nodata_fraction", 1, "F", "share of the dates with a nodata swath, 0 to 1 (default 0)"},
        {"co", 1, "NAME=VALUE", "creation option of the GeoTIFFs", true},
        {"j", 1, "N|ALL_CPUS", "threads (default: all cores)"},
        {"mem", 1, "SIZE", "memory to stay within, such as 512MB (default 1GB)"},
        {"overwrite", 0, "", "replace an earlier stack"},
    };
}

SimulateOptions simulate_options(const UtilityContext& context) {
    const Args& args = context.args;
    if (!args.inputs().empty()) throw UsageError("'" + args.inputs().front() + "': no input is read");
    SimulateOptions options;
    options.output = args.get("o", "");
    if (options.output.empty()) throw UsageError("no output: name a file (.h5, .nc) or a folder with -o");
    options.n_dates = args.integer("n_dates", options.n_dates);
    if (args.has("outsize")) {
        const std::vector<std::int64_t> size = args.integers("outsize");
        options.n_cols = size[0];
        options.n_rows = size[1];
    }
    const std::int64_t seed = args.integer("seed", 0);
    if (seed < 0) throw UsageError("-seed " + std::to_string(seed) + ": expected 0 or more");
    options.seed = static_cast<std::uint64_t>(seed);
    options.looks = args.number("looks", options.looks);
    options.nodata_fraction = args.number("nodata_fraction", options.nodata_fraction);
    options.creation_options = args.all("co");
    options.n_threads = thread_count(args, 1);
    options.memory_limit_bytes = args.bytes("mem", options.memory_limit_bytes);
    options.overwrite = args.has("overwrite");
    options.validate();
    return options;
}

void body(UtilityContext& context) {
    const SimulateOptions options = as_usage([&] { return simulate_options(context); });
    context.on_first_rank([&] { run_simulate(options, context.logger, context.progress); });
    if (context.speaks) {
        std::printf("%lld dates of %lld x %lld pixels in %s; the truth is in %s\n",
                    static_cast<long long>(options.n_dates), static_cast<long long>(options.n_cols),
                    static_cast<long long>(options.n_rows), options.output.c_str(),
                    (options.truth_stem() + "_truth.tif").c_str());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const UtilityInfo info = {"rastertide_simulate", "a SAR-like raster time series with planted anomalies",
                              "[options] -o FILE_OR_DIR", option_specs()};
    return run_utility(info, argc, argv, body);
}
