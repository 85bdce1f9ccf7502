// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>
#include <optional>

#include <rastertide/pipeline/run_lof.hpp>

#include "compute/cuda/module.hpp"
#include "core/number_text.hpp"
#include "pipeline/lof/lof_run.hpp"
#include "pipeline/memory_plan.hpp"
#include "pipeline/resume.hpp"
#include "pipeline/skip_errors.hpp"

namespace rastertide {
namespace {

// Shares of the job for the progress bar: scoring costs by far the most.
constexpr double kScoreShare = 0.9;

void check_nodata(double nodata) {
    if (std::isnan(nodata) || (nodata <= 0 && nodata == static_cast<float>(nodata))) return;
    throw InvalidArgument("a_nodata is " + number_text(nodata) +
                          ", must be NaN, 0 or a negative number that fits Float32: scores are positive");
}

TilePlan plan_tiles(const RunLofOptions& options, const RasterSeries& series, int node_size) {
    MemoryNeeds needs = lof_memory_needs(series, options.lof, options.compute);
    // Scores are turned into the files' type, and back, beside the buffers.
    if (options.score_type == SampleType::Float64)
        needs.bytes_per_shard_pixel += series.n_dates() * std::int64_t{sizeof(double)};
    TileRequest request =
        make_tile_request(series, options.lof.patch_size, needs, options.memory_limit_bytes, node_size);
    request.tile_n_cols = options.tile_n_cols;
    request.tile_n_rows = options.tile_n_rows;
    return make_tiles(request);
}

LofSummary summarise(const LofRun& run, const ScoreStatistics& statistics, double threshold,
                     const AnomalyCounts& anomalies) {
    const ScoreStatistics::Moments total = statistics.total();
    LofSummary summary;
    summary.left_out = run.series.left_out();
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
    if (summary.n_scores == 0) {
        run.say(LogLevel::Warning,
                "no location has three dates with a whole patch of valid pixels: every product is nodata");
    } else if (!std::isfinite(summary.mean) || !std::isfinite(summary.std)) {
        run.say(LogLevel::Warning, "mean or standard deviation of the scores is not finite");
    }
}

LofSummary run_once(RunLofOptions options, std::string& own_record, StageClock& clock, Communicator& comm,
                    const Logger& logger, const ProgressFn& progress) {
    std::optional<LofRun> opened;
    OwnDevice device;
    together(comm, [&] {
        const StageClock::Timer timer(clock, Stage::Open);
        device = take_device(options, lof_kind(), comm, logger);
        // A fallback is there where -device auto gave a device.
        if (options.lof.neighbors > cuda::kMostNeighbors && options.compute.fallback != nullptr) {
            device = {"cpu", "cpu", "more than 64 neighbours", true};
            options.compute.backend = Backend::Cpu;
            options.compute.fallback = nullptr;
        }
        check_nodata(options.nodata);
        take_tiles_of_run(options, lof_kind());
        RasterSeries series = open_stack(options, comm, logger);
        options.lof.validate(series.n_dates());
        TilePlan plan = plan_tiles(options, series, comm.node_size());
        opened.emplace(LofRun{{options, comm, logger, std::move(series), std::move(plan),
                               OutputFolder(options.outdir), clock, own_record},
                              options});
    });
    LofRun& run = *opened;
    agree_on_inputs(run.series, comm);
    run.devices = gather_devices(device, comm);
    run.say_plan();
    prepare_folder(run, lof_kind(), [&] { return lof_record(run); });

    const ScoreStatistics statistics = score_tiles(run, part_of(progress, 0, kScoreShare));
    const double threshold = find_threshold(run, statistics, {});
    const AnomalyCounts anomalies = mark_anomalies(run, threshold, part_of(progress, kScoreShare, 1));

    LofSummary summary = summarise(run, statistics, threshold, anomalies);
    {
        const StageClock::Timer timer(clock, Stage::Products);
        write_lof_products(run, statistics, summary);
    }
    warn_of_odd_results(run, summary);
    warn_of_left_out(run);
    const RunCosts costs = reduce_costs(run);
    set_costs(summary, costs);
    together(comm, [&] {
        if (comm.rank() == 0) write_summary(run, summary, costs);
    });
    if (progress) progress(1);
    return summary;
}

}  // namespace

LofSummary run_lof(const RunLofOptions& options, Communicator& comm, const Logger& logger,
                   const ProgressFn& progress) {
    StageClock clock;
    return without_unreadable(options, lof_kind(), comm, logger,
                              [&](const RunLofOptions& next, std::string& own_record) {
                                  return run_once(next, own_record, clock, comm, logger, progress);
                              });
}

}  // namespace rastertide
