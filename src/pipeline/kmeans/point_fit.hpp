// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rastertide/compute/weighted_kmeans.hpp>
#include <rastertide/pipeline/run_kmeans.hpp>

namespace rastertide {

/// K-Means of points in memory: several k-means++ starts go a few iterations, the one with the lowest energy
/// goes on to the end. @param random_key  of all draws
WeightedFit best_point_fit(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                           std::uint64_t random_key);

}  // namespace rastertide
