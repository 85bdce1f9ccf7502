// SPDX-License-Identifier: Apache-2.0
#include <rastertide/compute/weighted_kmeans.hpp>

#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {

void mini_batches(KMeansRun& run, const PatchList& sample, std::vector<KMeansFit>& fits) {
    constexpr std::int64_t kBatchSize = 1024;  // scikit-learn's
    together(run.comm, [&] {
        const WeightedPoints points(sample.n_features(), sample.all_values(), sample.keys());
        const StageClock::Timer timer(run.clock, Stage::Iterate);
        for (KMeansFit& fit : fits) {
            WeightedFit moved = minibatch_kmeans(points, fit.centers.values, kBatchSize, run.options.max_iter,
                                                 run.options.tol, run.options.seed, run.options.compute);
            fit.centers.values = std::move(moved.centers);
            fit.iterations = moved.iterations;
        }
    });
}

}  // namespace rastertide
