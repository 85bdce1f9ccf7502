// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rastertide/compute/weighted_kmeans.hpp>
#include <rastertide/pipeline/run_kmeans.hpp>

namespace rastertide {

/// K-Means of few points: the best of several k-means++ starts. @param random_key_of_fit  of all draws
WeightedFit best_of_starts(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                           std::uint64_t random_key_of_fit);

/// K-Means of a sample by refined starts (Bradley & Fayyad 1998): parts of the sample are clustered
/// by themselves, and their centres, weighted, are clustered for the start. Parts have more clusters than
/// asked for, so that small ones are not merged too early.
WeightedFit fit_sample(const WeightedPoints& points, std::int64_t k, const RunKMeansOptions& options,
                       std::uint64_t random_key_of_fit);

}  // namespace rastertide
