// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>

#include <rastertide/core/error.hpp>
#include <rastertide/pipeline/run_lof.hpp>
#include <rastertide/write/text_file.hpp>

#include "common/lazy_stack.hpp"
#include "common/lof_options.hpp"
#include "common/run_options.hpp"
#include "common/stack_options.hpp"
#include "common/utility.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::utils;

std::vector<OptionSpec> option_specs() {
    return joined(
        {{{"o", 1, "OUTDIR", "folder for the products"}},
         lof_option_specs(),
         {threshold_option_spec(),
          {"of", 1, "FORMAT", "write lof and anomaly also as one file of this format"},
          {"co", 1, "NAME=VALUE", "creation option of the files", true},
          {"ot", 1, "Float32|Float64", "type of lof and lof_max in their files (default Float32)"},
          {"a_nodata", 1, "VALUE", "nodata value of lof and lof_max, 0 or below (default nan)"},
          {"overwrite", 0, "", "replace the run that OUTDIR holds"},
          {"resume", 0, "", "go on with the run that OUTDIR holds, if it was stopped"},
          {"lazy", 0, "",
           "compute nothing: write lof_lazy.rastertide, which GDAL's Rastertide driver computes where "
           "it is looked at"}},
         stack_option_specs(),
         compute_option_specs()});
}

/// Whole numbers would lose what scores tell: they are about 1.
SampleType score_type(const std::string& word) {
    if (word == "Float32") return SampleType::Float32;
    if (word == "Float64") return SampleType::Float64;
    throw UsageError("-ot '" + word + "': expected Float32 or Float64");
}

RunLofOptions run_options(const UtilityContext& context) {
    const Args& args = context.args;
    RunLofOptions options;
    set_run_options(options, args, context.comm.node_size());
    options.lof = lof_params(args);
    options.threshold = Threshold::parse(args.get("threshold", "sigma:2"));
    options.score_type = score_type(args.get("ot", "Float32"));
    options.nodata = args.number("a_nodata", options.nodata);
    return options;
}

void print_summary(const LofSummary& summary, const std::string& outdir) {
    std::printf("%lld scores at %lld locations: mean %.6g, std %.6g, threshold %.6g\n",
                static_cast<long long>(summary.n_scores), static_cast<long long>(summary.n_locations),
                summary.mean, summary.std, summary.threshold);
    std::printf("%lld anomalies at %lld locations\n", static_cast<long long>(summary.n_anomalies),
                static_cast<long long>(summary.n_anomalous_locations));
    std::printf("%.1f s, %lld MB at most in a rank; open %s/anomaly_count.tif and %s/lof_max.tif\n",
                summary.wall_seconds, static_cast<long long>(summary.peak_memory_bytes >> 20), outdir.c_str(),
                outdir.c_str());
}

/// What says how the products of a run are made and written.
void refuse_run_options(const Args& args) {
    for (const char* name : {"of", "co", "ot", "a_nodata", "resume", "tile", "device", "j", "mem"}) {
        if (args.has(name))
            throw UsageError(std::string("-lazy: not with -") + name + ": nothing is computed yet");
    }
}

/// @return the file
std::string write_lazy(const Args& args, const RunLofOptions& options, const Logger& logger) {
    options.lof.validate(open_series(options.series, logger).n_dates());
    const std::filesystem::path path = std::filesystem::path(options.outdir) / "lof_lazy.rastertide";
    if (std::filesystem::exists(path) && !options.overwrite)
        throw InvalidArgument("'" + path.string() + "': is there already; -overwrite replaces it");
    std::error_code error;
    std::filesystem::create_directories(options.outdir, error);
    if (error) throw IoError("'" + options.outdir + "': cannot make the folder: " + error.message());
    write_text_file(path.string(), lazy_stack_json(lazy_stack_of(args)));
    return path.string();
}

void lazy_body(UtilityContext& context, const RunLofOptions& options) {
    std::string path;
    context.on_first_rank([&] { path = write_lazy(context.args, options, context.logger); });
    if (!context.speaks) return;
    std::printf("open %s with GDAL or QGIS; GDAL_DRIVER_PATH names the folder of gdal_Rastertide.so\n",
                path.c_str());
}

void body(UtilityContext& context) {
    const RunLofOptions options = as_usage([&] {
        if (context.args.has("lazy")) refuse_run_options(context.args);
        return run_options(context);
    });
    if (context.args.has("lazy")) return lazy_body(context, options);
    const LofSummary summary = run_lof(options, context.comm, context.logger, context.progress);
    if (context.speaks) print_summary(summary, options.outdir);
}

}  // namespace

int main(int argc, char** argv) {
    const UtilityInfo info = {"rastertide_lof",
                              "anomalies of a raster time series by the local outlier factor",
                              "[options] -o OUTDIR STACK...", option_specs()};
    return run_utility(info, argc, argv, body);
}
