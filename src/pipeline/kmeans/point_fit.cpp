// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/point_fit.hpp"

#include <algorithm>

#include "core/counter_random.hpp"

namespace rastertide {
namespace {

// Of a sample: each is clustered by itself, finer than asked for.
constexpr std::int64_t kParts = 8;
constexpr std::int64_t kFiner = 2;
constexpr std::int64_t kPartIterations = 30;
// Of few points: one start alone may miss a cluster.
constexpr std::uint32_t kStarts = 16;

/// Points that are gathered one by one.
struct PointList {
    std::vector<float> values;
    std::vector<double> weights;

    template <class Value>
    void add(const Value* from, std::int64_t n_features, double weight) {
        for (std::int64_t f = 0; f < n_features; ++f) values.push_back(static_cast<float>(from[f]));
        weights.push_back(weight);
    }
};

/// Every step-th point from the first on.
WeightedPoints every(const WeightedPoints& points, std::int64_t first, std::int64_t step) {
    PointList list;
    for (std::int64_t i = first; i < points.n(); i += step)
        list.add(points.point(i), points.n_features(), points.weight(i));
    return {points.n_features(), std::move(list.values), std::move(list.weights)};
}

/// The weighted centres of one part.
WeightedFit fit_part(const WeightedPoints& part, std::int64_t k, const RunKMeansOptions& options,
                     std::uint64_t random_key_of_part) {
    std::vector<double> start =
        kmeans_plusplus(part, std::min(kFiner * k, part.n()), random_key_of_part, options.compute);
    return weighted_lloyd(part, std::move(start), kPartIterations, options.tol, options.compute);
}

}  // namespace

WeightedFit best_of_starts(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                           std::uint64_t random_key_of_fit) {
    WeightedFit best;
    for (std::uint32_t i = 0; i < kStarts; ++i) {
        const std::uint64_t key = random_key(random_key_of_fit, RandomStream::KMeansPlusPlus, i);
        WeightedFit fit = weighted_lloyd(points, kmeans_plusplus(points, k, key, options.compute),
                                         options.max_iter, 0, options.compute);
        if (i == 0 || fit.energy < best.energy) best = std::move(fit);
    }
    return best;
}

WeightedFit fit_sample(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                       std::uint64_t random_key_of_fit) {
    const std::int64_t m = points.n_features();
    const std::int64_t n_parts = std::min(kParts, points.n());
    PointList centers;
    for (std::int64_t part = 0; part < n_parts; ++part) {
        const std::uint64_t key =
            random_key(random_key_of_fit, RandomStream::KMeansSample, static_cast<std::uint32_t>(part));
        const WeightedFit fit = fit_part(every(points, part, n_parts), k, options, key);
        for (std::size_t i = 0; i < fit.weights.size(); ++i) {
            if (fit.weights[i] > 0)
                centers.add(fit.centers.data() + static_cast<std::int64_t>(i) * m, m, fit.weights[i]);
        }
    }
    const WeightedPoints merged(m, std::move(centers.values), std::move(centers.weights));
    WeightedFit start = best_of_starts(merged, k, options, random_key_of_fit);
    return weighted_lloyd(points, std::move(start.centers), options.max_iter, options.tol, options.compute);
}

}  // namespace rastertide
