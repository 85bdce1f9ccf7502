// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>

#include <rastertide/core/error.hpp>

#include "pipeline/kmeans/distance_sum.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/pick_patches.hpp"
#include "pipeline/kmeans/point_fit.hpp"

namespace rastertide {
namespace {

// Rounds of k-means||, and patches a round in numbers of clusters (Bahmani et al. 2012: 5 and 2 are enough).
constexpr int kParallelRounds = 5;
constexpr std::int64_t kParallelOversampling = 2;

/// Which start of which number of clusters.
struct Start {
    std::int64_t k;
    std::int64_t i_init;
};

/// Random numbers of a start are no other's. @param step  of one start
std::uint64_t start_key(const KMeansRun& run, const Start& start, std::int64_t step) {
    const std::uint64_t of_k =
        random_key(run.options.seed, RandomStream::KMeansDraw, static_cast<std::uint32_t>(start.k));
    return random_key(of_k + static_cast<std::uint64_t>(start.i_init), RandomStream::KMeansDraw,
                      static_cast<std::uint32_t>(step));
}

void append_patch(PatchCenters& centers, const PatchList& patches, std::int64_t i) {
    centers.values.insert(centers.values.end(), patches.values(i), patches.values(i) + patches.n_features());
    ++centers.n_clusters;
}

PatchCenters as_centers(const KMeansRun& run, const PatchList& patches) {
    PatchCenters centers{run.options.patch_size, run.n_sample_bands(), 0, {}};
    for (std::int64_t i = 0; i < patches.n(); ++i) append_patch(centers, patches, i);
    return centers;
}

/// From the rank that has the centres to all: others add zeros to their bits. Collective.
void share(Communicator& comm, std::vector<double>& values, std::int64_t n) {
    std::vector<std::int64_t> bits;
    for (const double value : values) bits.push_back(std::bit_cast<std::int64_t>(value));
    bits.resize(static_cast<std::size_t>(n), 0);
    comm.sum(bits);
    values.clear();
    for (const std::int64_t word : bits) values.push_back(std::bit_cast<double>(word));
}

/// Fits to the sample, which all ranks hold, each by one rank. Collective.
std::vector<PatchCenters> sample_starts(KMeansRun& run, const PatchList& sample,
                                        const std::vector<Start>& starts) {
    std::vector<PatchCenters> all;
    for (const Start& start : starts)
        all.push_back({run.options.patch_size, run.n_sample_bands(), start.k, {}});
    together(run.comm, [&] {
        const StageClock::Timer timer(run.clock, Stage::Start);
        const WeightedPoints points(sample.n_features(), sample.all_values(), sample.keys());
        for (auto i = static_cast<std::size_t>(run.comm.rank()); i < starts.size();
             i += static_cast<std::size_t>(run.comm.size())) {
            all[i].values =
                fit_sample(points, starts[i].k, run.options, start_key(run, starts[i], 0)).centers;
        }
    });
    for (PatchCenters& centers : all)
        share(run.comm, centers.values, centers.n_clusters * centers.n_features());
    return all;
}

PatchCenters random_start(KMeansRun& run, TilePasses& passes, const Start& start) {
    FirstPatches picker(run, start.k, FirstPatches::Order::Random, start_key(run, start, 0));
    return as_centers(run, pick_patches(run, run.comm, passes, constant_center(run, 0), picker, start.k));
}

/// Of the candidates, the one that would leave the lowest sum of distances.
std::int64_t best_candidate(KMeansRun& run, TilePasses& passes, const PatchCenters& centers,
                            const PatchList& candidates) {
    std::vector<PatchCenters> with_candidate(static_cast<std::size_t>(candidates.n()), centers);
    for (std::int64_t i = 0; i < candidates.n(); ++i)
        append_patch(with_candidate[static_cast<std::size_t>(i)], candidates, i);
    const std::vector<double> sums = distance_sums(run, passes, with_candidate);
    return std::min_element(sums.begin(), sums.end()) - sums.begin();
}

PatchCenters plusplus_start(KMeansRun& run, TilePasses& passes, const Start& start) {
    PatchCenters centers = random_start(run, passes, {1, start.i_init});
    const auto n_trials = 2 + static_cast<std::int64_t>(std::log(static_cast<double>(start.k)));
    while (centers.n_clusters < start.k) {
        FirstPatches picker(run, n_trials, FirstPatches::Order::RandomByDistance,
                            start_key(run, start, centers.n_clusters));
        const PatchList candidates = pick_patches(run, run.comm, passes, centers, picker, n_trials);
        if (candidates.n() == 0) break;  // every patch is a centre
        append_patch(centers, candidates, best_candidate(run, passes, centers, candidates));
    }
    return centers;
}

/// Candidates of k-means||, weighted by the patches that are nearest to each.
WeightedPoints parallel_candidates(KMeansRun& run, TilePasses& passes, const StackMoments& moments,
                                   const Start& start) {
    PatchCenters centers = random_start(run, passes, {1, start.i_init});
    const std::int64_t n = std::min(kParallelOversampling * start.k, (kMaxClusters - 1) / kParallelRounds);
    for (int round = 0; round < kParallelRounds; ++round) {
        FirstPatches picker(run, n, FirstPatches::Order::RandomByDistance, start_key(run, start, 1 + round));
        const PatchList drawn = pick_patches(run, run.comm, passes, centers, picker, n);
        for (std::int64_t i = 0; i < drawn.n(); ++i) append_patch(centers, drawn, i);
    }
    std::vector<KMeansFit> fits = {new_fit(std::move(centers))};
    assign_all(run, run.comm, passes, moments.fixed, fits);
    std::vector<float> values;
    std::vector<double> weights;
    for (std::int64_t k = 0; k < fits[0].centers.n_clusters; ++k) {
        if (fits[0].sums.count(k) == 0) continue;
        const double* center = fits[0].centers.center(k);
        std::transform(center, center + run.n_features(), std::back_inserter(values),
                       [](double value) { return static_cast<float>(value); });
        weights.push_back(static_cast<double>(fits[0].sums.count(k)));
    }
    return {run.n_features(), std::move(values), std::move(weights)};
}

PatchCenters parallel_start(KMeansRun& run, TilePasses& passes, const StackMoments& moments,
                            const Start& start) {
    const WeightedPoints points = parallel_candidates(run, passes, moments, start);
    return {run.options.patch_size, run.n_sample_bands(), start.k,
            best_of_starts(points, start.k, run.options, start_key(run, start, 0)).centers};
}

/// Fewer patches than clusters are different: the last one again, which makes an empty cluster.
void fill_up(PatchCenters& centers, std::int64_t k) {
    const std::vector<double> last(centers.values.end() - centers.n_features(), centers.values.end());
    for (; centers.n_clusters < k; ++centers.n_clusters)
        centers.values.insert(centers.values.end(), last.begin(), last.end());
}

PatchCenters start_on_all(KMeansRun& run, TilePasses& passes, const StackMoments& moments,
                          const Start& start) {
    switch (run.options.init) {
        case KMeansInit::Random:
            return random_start(run, passes, start);
        case KMeansInit::KMeansPlusPlus:
            return plusplus_start(run, passes, start);
        case KMeansInit::KMeansParallel:
            return parallel_start(run, passes, moments, start);
        case KMeansInit::File:
            return run.given->centers;
        case KMeansInit::Sample:
            break;
    }
    throw InternalError("a start on the sample is not one on all patches");
}

}  // namespace

KMeansFit new_fit(PatchCenters centers) {
    PatchSums sums(centers.n_clusters, centers.n_features());
    return {std::move(centers), std::move(sums)};
}

std::vector<KMeansFit> choose_starts(KMeansRun& run, TilePasses& passes, const StackMoments& moments,
                                     const PatchList& sample) {
    std::vector<Start> starts;
    for (std::int64_t k = run.options.min_clusters; k <= run.options.max_clusters; ++k) {
        for (std::int64_t i = 0; i < run.options.n_init; ++i) starts.push_back({k, i});
    }
    std::vector<PatchCenters> centers;
    if (run.options.init == KMeansInit::Sample) {
        centers = sample_starts(run, sample, starts);
    } else {
        for (const Start& start : starts) centers.push_back(start_on_all(run, passes, moments, start));
    }
    std::vector<KMeansFit> fits;
    for (std::size_t i = 0; i < starts.size(); ++i) {
        fill_up(centers[i], starts[i].k);
        fits.push_back(new_fit(std::move(centers[i])));
    }
    return fits;
}

}  // namespace rastertide
