// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>

#include <rastertide/pipeline/run_lof.hpp>
#include <rastertide/write/mosaic.hpp>

#include "pipeline/lof_run.hpp"
#include "pipeline/memory_plan.hpp"
#include "pipeline/number_text.hpp"
#include "pipeline/stack_problems.hpp"

namespace rastertide {
namespace {

// Shares of the job for the progress bar: scoring costs by far the most.
constexpr double kScoreShare = 0.9;

ProgressFn part_of(const ProgressFn& progress, double from, double to) {
    if (!progress) return {};
    return [=](double fraction) { progress(from + fraction * (to - from)); };
}

void check_nodata(double nodata) {
    if (std::isnan(nodata) || (nodata <= 0 && nodata == static_cast<float>(nodata))) return;
    throw InvalidArgument("a_nodata is " + number_text(nodata) +
                          ", must be NaN, 0 or a negative number that fits Float32: scores are positive");
}

RasterSeries open(const RunLofOptions& options, Communicator& comm, const Logger& logger) {
    check_nodata(options.nodata);
    SeriesOptions series_options = options.series;
    series_options.cache_bytes = block_cache_bytes(options.memory_limit_bytes, comm.node_size());
    RasterSeries series = open_series(series_options, comm.rank() == 0 ? logger : Logger{});
    options.lof.validate(series.n_dates());
    if (comm.rank() == 0) {
        for (const std::string& problem : stack_problems(series)) log(logger, LogLevel::Warning, problem);
    }
    return series;
}

TilePlan plan_tiles(const RunLofOptions& options, const RasterSeries& series, int node_size) {
    TileRequest request =
        make_tile_request(series, options.lof, options.compute, options.memory_limit_bytes, node_size);
    request.tile_n_cols = options.tile_n_cols;
    request.tile_n_rows = options.tile_n_rows;
    return make_tiles(request);
}

/// What would fail at the end of the run is tried before it, and before an earlier run is removed.
void check_format(const RunLofOptions& options, std::int64_t n_dates) {
    if (options.format.empty()) {
        check_creation_options("GTiff", options.creation_options);
    } else {
        check_copy_options(options.format, options.creation_options, n_dates);
    }
}

/// Replacing a run must not remove what the new one reads.
void check_inputs_lie_elsewhere(const LofRun& run) {
    namespace fs = std::filesystem;
    const fs::path outdir = fs::weakly_canonical(run.options.outdir);
    for (const std::string& file : run.series.files()) {
        const fs::path input = fs::weakly_canonical(file);
        if (std::mismatch(outdir.begin(), outdir.end(), input.begin(), input.end()).first == outdir.end()) {
            throw InvalidArgument("'" + file + "': the input lies in the output folder '" +
                                  run.options.outdir + "', which -overwrite would empty");
        }
    }
}

void prepare_folder(LofRun& run) {
    together(run.comm, [&] {
        if (run.comm.rank() != 0) return;
        const RunLofOptions& options = run.options;
        check_format(options, run.n_dates());
        std::optional<OutputFolder::Contents> earlier;
        if (options.overwrite && OutputFolder::holds_run(options.outdir)) {
            check_inputs_lie_elsewhere(run);
            earlier = contents_of_run(options.outdir);
        }
        run.folder = OutputFolder::make(options.outdir, earlier);
        write_run_record(run);
        for (const char* product : kProducts) run.folder.make_product(product);
    });
}

LofSummary summarise(const LofRun& run, const ScoreStatistics& statistics, double threshold,
                     const AnomalyCounts& anomalies) {
    const ScoreStatistics::Moments total = statistics.total();
    LofSummary summary;
    summary.n_scores = total.n;
    summary.mean = total.mean;
    summary.std = total.std;
    summary.threshold = threshold;
    summary.n_anomalies =
        std::accumulate(anomalies.by_date.begin(), anomalies.by_date.end(), std::int64_t{0});
    for (const Tile& tile : run.plan.tiles) summary.n_locations += tile.locations.n_pixels();
    summary.n_anomalous_locations = anomalies.n_anomalous_locations;
    summary.n_tiles = static_cast<std::int64_t>(run.plan.tiles.size());
    for (std::int64_t date = 0; date < run.n_dates(); ++date) {
        const SceneInfo& scene = run.series.scenes()[static_cast<std::size_t>(date)];
        const ScoreStatistics::Moments moments = statistics.date(date);
        summary.dates.push_back({scene.date ? scene.date->iso() : "", scene.name, moments.n,
                                 anomalies.by_date[static_cast<std::size_t>(date)], moments.mean, moments.std,
                                 moments.max});
    }
    return summary;
}

void warn_of_odd_results(const LofRun& run, const LofSummary& summary) {
    const Logger& logger = run.comm.rank() == 0 ? run.logger : Logger{};
    if (summary.n_scores == 0) {
        log(logger, LogLevel::Warning,
            "no location has three dates with a whole patch of valid pixels: every product is nodata");
    } else if (!std::isfinite(summary.mean) || !std::isfinite(summary.std)) {
        log(logger, LogLevel::Warning, "mean or standard deviation of the scores is not finite");
    }
}

/// Collective.
void add_costs(const LofRun& run, LofSummary& summary) {
    summary.stages = run.clock.reduce(run.comm);
    double extremes[] = {run.clock.seconds_since_start(), static_cast<double>(peak_memory_bytes())};
    run.comm.max(extremes);
    summary.wall_seconds = extremes[0];
    summary.peak_memory_bytes = static_cast<std::int64_t>(extremes[1]);
}

}  // namespace

LofSummary run_lof(const RunLofOptions& requested, Communicator& comm, const Logger& logger,
                   const ProgressFn& progress) {
    StageClock clock;
    RunLofOptions options = requested;
    std::optional<LofRun> opened;
    together(comm, [&] {
        const StageClock::Timer timer(clock, Stage::Open);
        options.compute.backend = resolve_backend(options.compute.backend);
        RasterSeries series = open(options, comm, logger);
        TilePlan plan = plan_tiles(options, series, comm.node_size());
        opened.emplace(LofRun{options, comm, logger, std::move(series), std::move(plan),
                              OutputFolder(options.outdir), clock});
    });
    LofRun& run = *opened;
    log(comm.rank() == 0 ? logger : Logger{}, LogLevel::Info,
        std::to_string(run.n_dates()) + " dates, " + std::to_string(run.plan.tiles.size()) + " tiles of " +
            std::to_string(run.plan.tile_n_cols) + " x " + std::to_string(run.plan.tile_n_rows) +
            " pixels, device " + std::string(to_string(options.compute.backend)));
    prepare_folder(run);

    const ScoreStatistics statistics = score_tiles(run, part_of(progress, 0, kScoreShare));
    const double threshold = find_threshold(run, statistics, {});
    const AnomalyCounts anomalies = mark_anomalies(run, threshold, part_of(progress, kScoreShare, 1));

    LofSummary summary = summarise(run, statistics, threshold, anomalies);
    together(comm, [&] {
        const StageClock::Timer timer(clock, Stage::Products);
        if (comm.rank() == 0) write_lof_products(run, statistics, summary);
    });
    warn_of_odd_results(run, summary);
    add_costs(run, summary);
    together(comm, [&] {
        if (comm.rank() == 0) write_summary(run, summary);
    });
    if (progress) progress(1);
    return summary;
}

}  // namespace rastertide
