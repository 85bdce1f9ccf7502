// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "pipeline/kmeans/elbow.hpp"
#include "pipeline/kmeans/fit_state.hpp"
#include "pipeline/kmeans/kmeans_memory.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/stack_share.hpp"

namespace rastertide {
namespace {

// Where starts and fits end, for the progress bar.
constexpr double kStartEnd = 0.05;
constexpr double kFitEnd = 0.85;
constexpr std::int64_t kPolishIterations = 5;

TilePasses rank_passes(KMeansRun& run, std::int64_t keep) {
    return {run, tiles_of_rank(run.plan, run.comm.rank(), run.comm.size()), keep};
}

/// A few exact iterations bring merged centres to where their clusters are.
void polish(KMeansRun& run, TilePasses& passes, const StackMoments& moments, std::vector<KMeansFit>& fits) {
    const LloydLimits limits = {kPolishIterations, run.options.tol, fits.size() > 1};
    std::vector<std::int64_t> iterations;
    for (KMeansFit& fit : fits) iterations.push_back(std::exchange(fit.iterations, 0));
    lloyd(run, run.comm, passes, moments, limits, fits, {});
    for (std::size_t i = 0; i < fits.size(); ++i) fits[i].iterations += iterations[i];
}

/// Moves the starts by a share of the stack, and keeps where they come to.
void begin_on_share(KMeansRun& run, const TilePasses& passes, const StackMoments& moments, StackShare& share,
                    FitState& state, std::vector<KMeansFit>& fits, const ProgressFn& progress) {
    run.say(LogLevel::Info,
            "fits begin on one of " + std::to_string(share.step()) + " dates of each block of locations");
    const std::int64_t label_bytes = passes.free_bytes() + planned_share_bytes(run) - share.bytes();
    lloyd_on_share(run, share, label_bytes, moments, fits, progress);
    together(run.comm, [&] { state.keep(fits); });
}

/// The fits' starts, unless an earlier call of the run has left fits. The sample is empty then.
PatchList start(KMeansRun& run, TilePasses& passes, StackMoments& moments, FitState& state,
                std::vector<KMeansFit>& fits, const ProgressFn& progress) {
    const bool begins = fits.empty();
    StackShare share(run, begins ? share_step(run) : 0);
    PatchList sample =
        draw_sample(run, passes, moments, begins ? sample_size(run, moments.n_patches) : 0, share);
    if (begins) fits = choose_starts(run, passes, moments, sample);
    if (share.step() > 0) begin_on_share(run, passes, moments, share, state, fits, progress);
    return sample;
}

/// From the starts to the end. The sums of several fits are those of their last centres, so that their
/// energies can be compared; a single fit's come with its labels.
void fit(KMeansRun& run, std::optional<TilePasses>& passes, const StackMoments& moments,
         const PatchList& sample, FitState& state, std::vector<KMeansFit>& fits, const ProgressFn& progress) {
    const bool compare = fits.size() > 1;
    switch (run.options.algorithm) {
        case KMeansAlgorithm::Lloyd:
            lloyd(run, run.comm, *passes, moments, {run.options.max_iter, run.options.tol, compare}, fits,
                  progress, [&](const std::vector<KMeansFit>& moved) { state.keep(moved); });
            break;
        case KMeansAlgorithm::MiniBatch:
            mini_batches(run, sample, fits);
            if (compare) assign_all(run, run.comm, *passes, moments.fixed, fits);
            break;
        case KMeansAlgorithm::BatchParallel:
            passes.reset();  // the parts need its memory
            batch_parallel(run, moments, sample, bytes_to_keep(run), fits, progress);
            together(run.comm, [&] { passes.emplace(rank_passes(run, bytes_to_keep(run))); });
            polish(run, *passes, moments, fits);
            break;
    }
}

/// What the fits found: the elbow, and the fit whose labels are written.
struct Choice {
    std::vector<ElbowPoint> elbow;
    std::size_t best = 0;  ///< of the fits
    bool has_knee = false;
};

Choice choose(const KMeansRun& run, const StackMoments& moments, const std::vector<KMeansFit>& fits) {
    Choice choice;
    std::vector<std::size_t> best_of_k;
    for (std::size_t i = 0; i < fits.size(); ++i) {
        const KMeansFit& fit = fits[i];
        const double value = energy(fit, moments);
        const bool same_k = !choice.elbow.empty() && choice.elbow.back().k == fit.centers.n_clusters;
        if (same_k && value >= choice.elbow.back().energy) continue;
        if (!same_k) {
            choice.elbow.emplace_back();
            best_of_k.push_back(i);
        }
        choice.elbow.back() = {fit.centers.n_clusters, value, fit.iterations};
        best_of_k.back() = i;
    }
    const std::optional<std::size_t> at_knee = knee(choice.elbow);
    choice.has_knee = at_knee.has_value();
    choice.best = best_of_k[at_knee.value_or(best_of_k.size() - 1)];
    if (!at_knee && choice.elbow.size() > 1) {
        run.say(LogLevel::Warning, "the elbow has no knee: labels are of the largest number of clusters, " +
                                       std::to_string(run.options.max_clusters));
    }
    return choice;
}

KMeansModel new_model(const KMeansRun& run, PatchCenters centers) {
    KMeansModel model;
    model.centers = std::move(centers);
    model.scale = run.options.series.scale;
    model.time_features = run.options.time_features;
    model.seed = run.options.seed;
    model.band_names = run.series.band_names();
    return model;
}

std::vector<std::int64_t> cluster_sizes(const PatchSums& sums) {
    std::vector<std::int64_t> sizes;
    for (std::int64_t k = 0; k < sums.n_clusters(); ++k) sizes.push_back(sums.count(k));
    return sizes;
}

void warn_of_odd_fits(const KMeansRun& run, const KMeansFit& fit, const std::vector<std::int64_t>& sizes) {
    const auto n_empty = std::count(sizes.begin(), sizes.end(), 0);
    if (n_empty > 0) {
        run.say(LogLevel::Warning, std::to_string(n_empty) + " of " + std::to_string(sizes.size()) +
                                       " clusters are empty: the stack has fewer patches that differ");
    }
    if (run.options.algorithm == KMeansAlgorithm::Lloyd && !fit.converged) {
        run.say(LogLevel::Warning, "not converged after " + std::to_string(fit.iterations) +
                                       " iterations: -max_iter may be raised");
    }
}

}  // namespace

void sort_by_mean(PatchCenters& centers) {
    const std::int64_t m = centers.n_features();
    const auto mean = [&](std::int64_t k) {
        return std::accumulate(centers.center(k), centers.center(k) + m, 0.0);
    };
    std::vector<std::int64_t> order(static_cast<std::size_t>(centers.n_clusters));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return mean(a) < mean(b); });
    std::vector<double> values;
    for (const std::int64_t k : order) values.insert(values.end(), centers.center(k), centers.center(k) + m);
    centers.values = std::move(values);
}

Labeled fit_and_label(KMeansRun& run, const ProgressFn& progress) {
    std::optional<TilePasses> passes;
    together(run.comm, [&] { passes.emplace(rank_passes(run, bytes_to_keep(run))); });
    StackMoments moments = measure_stack(run, *passes);
    FitState state(run);
    std::vector<KMeansFit> fits = state.read();
    const PatchList sample = start(run, *passes, moments, state, fits, part_of(progress, 0, kStartEnd));
    fit(run, passes, moments, sample, state, fits, part_of(progress, kStartEnd, kFitEnd));

    const bool compare = fits.size() > 1;
    Choice choice = choose(run, moments, fits);
    KMeansFit& best = fits[choice.best];
    sort_by_mean(best.centers);
    Labeled result{
        new_model(run, best.centers),
        label_tiles(run, *passes, best.centers, moments.fixed, !compare, part_of(progress, kFitEnd, 1)),
        std::move(choice.elbow), choice.has_knee};
    if (!compare) {
        best.sums = result.counts.sums;
        result.elbow[0].energy = energy(best, moments);
    }
    const auto chosen = std::find_if(result.elbow.begin(), result.elbow.end(), [&](const ElbowPoint& point) {
        return point.k == best.centers.n_clusters;
    });
    result.model.energy = chosen->energy;
    result.model.iterations = chosen->iterations;
    result.model.sizes = cluster_sizes(result.counts.sums);
    warn_of_odd_fits(run, best, result.model.sizes);
    return result;
}

Labeled label_with_model(KMeansRun& run, const ProgressFn& progress) {
    KMeansModel model = *run.given;
    std::optional<TilePasses> passes;
    together(run.comm, [&] { passes.emplace(rank_passes(run, 0)); });
    Labeled result{std::move(model), {PatchSums(1, 1), {}}, {}, false};
    result.counts = label_tiles(run, *passes, result.model.centers, {}, false, progress);
    result.model.sizes = cluster_sizes(result.counts.sums);
    result.model.energy = std::numeric_limits<double>::quiet_NaN();  // of the scenes it was learned from
    return result;
}

}  // namespace rastertide
