// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/point_fit.hpp"

#include <algorithm>

#include "core/counter_random.hpp"

namespace rastertide {
namespace {

// One start alone may miss a cluster. Which is best shows on a part of the points, long before it converges.
constexpr std::uint32_t kStarts = 16;
constexpr std::int64_t kTrialIterations = 30;
constexpr std::int64_t kTrialPoints = 16384;

/// Every n-th point, so that about kTrialPoints remain.
WeightedPoints thinned(const WeightedPoints& points) {
    const std::int64_t step = std::max<std::int64_t>(1, points.n() / kTrialPoints);
    std::vector<float> values;
    std::vector<double> weights;
    for (std::int64_t i = 0; i < points.n(); i += step) {
        values.insert(values.end(), points.point(i), points.point(i) + points.n_features());
        weights.push_back(points.weight(i));
    }
    return {points.n_features(), std::move(values), std::move(weights)};
}

}  // namespace

WeightedFit best_point_fit(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                           std::uint64_t random_key_of_fit) {
    const WeightedPoints few = thinned(points);
    WeightedFit best;
    for (std::uint32_t start = 0; start < kStarts; ++start) {
        const std::uint64_t key = random_key(random_key_of_fit, RandomStream::KMeansPlusPlus, start);
        WeightedFit fit =
            weighted_lloyd(few, kmeans_plusplus(few, k, key, options.compute),
                           std::min(options.max_iter, kTrialIterations), options.tol, options.compute);
        if (start == 0 || fit.energy < best.energy) best = std::move(fit);
    }
    return weighted_lloyd(points, std::move(best.centers), options.max_iter, options.tol, options.compute);
}

}  // namespace rastertide
