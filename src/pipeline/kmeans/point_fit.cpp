// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/point_fit.hpp"

#include <algorithm>

#include "core/counter_random.hpp"
#include "core/parallel_for.hpp"

namespace rastertide {
namespace {

// Of a sample: each is clustered by itself, finer than asked for.
constexpr std::int64_t kParts = 8;
constexpr std::int64_t kFiner = 2;
constexpr std::int64_t kPartIterations = 30;
// Of few points: one start alone may miss a cluster.
constexpr std::int64_t kStarts = 16;

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

/// For work that is one of many: threads share the many.
ComputeOptions one_thread(const RunKMeansOptions& options) {
    ComputeOptions compute = options.compute;
    compute.n_threads = 1;
    return compute;
}

/// The weighted centres of one part.
WeightedFit fit_part(const WeightedPoints& part, std::int64_t k, const RunKMeansOptions& options,
                     std::uint64_t random_key_of_part) {
    std::vector<double> start =
        kmeans_plusplus(part, std::min(kFiner * k, part.n()), random_key_of_part, one_thread(options));
    return weighted_lloyd(part, std::move(start), kPartIterations, options.tol, one_thread(options));
}

/// The weighted centres of all parts of a sample.
WeightedPoints fit_parts(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                         std::uint64_t random_key_of_fit) {
    const std::int64_t n_parts = std::min(kParts, points.n());
    std::vector<WeightedFit> fits(static_cast<std::size_t>(n_parts));
    parallel_for(n_parts, options.compute.n_threads, [&](std::int64_t part) {
        const std::uint64_t key =
            random_key(random_key_of_fit, RandomStream::KMeansSample, static_cast<std::uint32_t>(part));
        fits[static_cast<std::size_t>(part)] = fit_part(every(points, part, n_parts), k, options, key);
    });
    const std::int64_t m = points.n_features();
    PointList centers;
    for (const WeightedFit& fit : fits) {
        for (std::size_t i = 0; i < fit.weights.size(); ++i) {
            if (fit.weights[i] > 0)
                centers.add(fit.centers.data() + static_cast<std::int64_t>(i) * m, m, fit.weights[i]);
        }
    }
    return {m, std::move(centers.values), std::move(centers.weights)};
}

}  // namespace

WeightedFit best_of_starts(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                           std::uint64_t random_key_of_fit) {
    std::vector<WeightedFit> fits(kStarts);
    parallel_for(kStarts, options.compute.n_threads, [&](std::int64_t i) {
        const std::uint64_t key =
            random_key(random_key_of_fit, RandomStream::KMeansPlusPlus, static_cast<std::uint32_t>(i));
        std::vector<double> start = kmeans_plusplus(points, k, key, one_thread(options));
        fits[static_cast<std::size_t>(i)] =
            weighted_lloyd(points, std::move(start), options.max_iter, 0, one_thread(options));
    });
    return *std::min_element(fits.begin(), fits.end(),
                             [](const WeightedFit& a, const WeightedFit& b) { return a.energy < b.energy; });
}

WeightedFit fit_sample(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                       std::uint64_t random_key_of_fit) {
    const WeightedPoints merged = fit_parts(points, k, options, random_key_of_fit);
    WeightedFit start = best_of_starts(merged, k, options, random_key_of_fit);
    return weighted_lloyd(points, std::move(start.centers), options.max_iter, options.tol, options.compute);
}

}  // namespace rastertide
