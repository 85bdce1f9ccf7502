// SPDX-License-Identifier: Apache-2.0
#include <numeric>
#include <optional>

#include <rastertide/pipeline/run_kmeans.hpp>

#include "pipeline/kmeans/fit_state.hpp"
#include "pipeline/kmeans/kmeans_memory.hpp"
#include "pipeline/kmeans/kmeans_options.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/model_check.hpp"
#include "pipeline/resume.hpp"
#include "pipeline/skip_errors.hpp"

namespace rastertide {
namespace {

constexpr std::int64_t kDefaultClusters = 8;  // scikit-learn's
constexpr int kDefaultPatch = 7;

std::optional<KMeansModel> given_model(const RunKMeansOptions& options) {
    const std::string& file = options.model_file.empty() ? options.init_file : options.model_file;
    if (file.empty()) return std::nullopt;
    return read_kmeans_model(file);
}

/// What the file of centres and defaults leave open.
void complete(RunKMeansOptions& options, const std::optional<KMeansModel>& given) {
    if (given) {
        options.time_features = options.time_features || given->time_features;
        if (options.patch_size == 0) options.patch_size = given->centers.patch_size;
        if (options.min_clusters == 0)
            options.min_clusters = options.max_clusters = given->centers.n_clusters;
    }
    if (options.patch_size == 0) options.patch_size = options.time_features ? 1 : kDefaultPatch;
    if (options.min_clusters == 0) options.min_clusters = options.max_clusters = kDefaultClusters;
}

/// Errors that need no pixel come before an earlier run goes.
void check_what_is_known(const KMeansRun& run) {
    if (run.options.lazy) require_lazy_scenes(run);
    if (run.given) require_model_fits(run);
    std::int64_t n_patches = 0;
    for (const Tile& tile : run.plan.tiles) n_patches += run.n_label_values(tile);
    if (run.options.model_file.empty()) require_patches(run.options, n_patches);
}

KMeansSummary summarise(const KMeansRun& run, const Labeled& labeled) {
    KMeansSummary summary;
    summary.left_out = run.series.left_out();
    summary.k = labeled.model.centers.n_clusters;
    summary.energy = labeled.model.energy;
    summary.iterations = labeled.model.iterations;
    summary.sizes = labeled.model.sizes;
    summary.n_patches = std::accumulate(summary.sizes.begin(), summary.sizes.end(), std::int64_t{0});
    summary.elbow = labeled.elbow;
    summary.has_knee = labeled.has_knee;
    for (const Tile& tile : run.plan.tiles) summary.n_locations += tile.locations.n_pixels();
    summary.n_tiles = static_cast<std::int64_t>(run.plan.tiles.size());
    for (std::int64_t date = 0; date < run.n_label_dates(); ++date) {
        DateLabels labels{"", "", labeled.counts.by_date[static_cast<std::size_t>(date)]};
        if (!run.options.time_features) {
            const SceneInfo& scene = run.series.scenes()[static_cast<std::size_t>(date)];
            if (scene.date) labels.date = scene.date->iso();
            labels.scene = scene.name;
        }
        summary.dates.push_back(std::move(labels));
    }
    return summary;
}

KMeansSummary run_once(RunKMeansOptions options, std::string& own_record, StageClock& clock,
                       Communicator& comm, const Logger& logger, const ProgressFn& progress) {
    std::optional<KMeansRun> opened;
    OwnDevice device;
    together(comm, [&] {
        const StageClock::Timer timer(clock, Stage::Open);
        device = take_device(options, kmeans_kind(), comm, logger);
        std::optional<KMeansModel> given = given_model(options);
        complete(options, given);
        options.validate();
        take_tiles_of_run(options, kmeans_kind());
        RasterSeries series = open_stack(options, comm, logger);
        TilePlan plan = make_tiles(kmeans_tile_request(options, series, comm.node_size()));
        opened.emplace(KMeansRun{{options, comm, logger, std::move(series), std::move(plan),
                                  OutputFolder(options.outdir), clock, own_record},
                                 options,
                                 std::move(given)});
        check_what_is_known(*opened);
    });
    KMeansRun& run = *opened;
    agree_on_inputs(run.series, comm);
    run.devices = gather_devices(device, comm);
    run.say_plan();
    prepare_folder(run, kmeans_kind(), [&] { return kmeans_record(run); });

    const Labeled labeled =
        options.model_file.empty() ? fit_and_label(run, progress) : label_with_model(run, progress);
    KMeansSummary summary = summarise(run, labeled);
    if (summary.n_patches == 0) run.say(LogLevel::Warning, "no patch is whole: every label is nodata");
    warn_of_left_out(run);
    {
        const StageClock::Timer timer(clock, Stage::Products);
        write_kmeans_products(run, labeled.model, summary);
    }
    const RunCosts costs = reduce_costs(run);
    set_costs(summary, costs);
    together(comm, [&] {
        if (comm.rank() != 0) return;
        write_summary(run, summary, costs);
        FitState::remove(run);
    });
    if (progress) progress(1);
    return summary;
}

}  // namespace

KMeansSummary run_kmeans(const RunKMeansOptions& options, Communicator& comm, const Logger& logger,
                         const ProgressFn& progress) {
    StageClock clock;
    return without_unreadable(options, kmeans_kind(), comm, logger,
                              [&](const RunKMeansOptions& next, std::string& own_record) {
                                  return run_once(next, own_record, clock, comm, logger, progress);
                              });
}

}  // namespace rastertide
