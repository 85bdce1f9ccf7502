// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/kmeans_candidates.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "compute/cpu/kmeans_classes.hpp"
#include "compute/cpu/kmeans_drift.hpp"

namespace rastertide::cpu {
namespace {

/// Of so many centres on either side of a class in mean, each may prove that others are none of its
/// candidates.
constexpr std::size_t kNeighbours = 4;

/// Centres by their mean.
struct MeanOrder {
    std::vector<std::size_t> order;  ///< labels from 0
    std::vector<double> means;       ///< in this order

    explicit MeanOrder(const Drift& drift) : order(drift.n), means(drift.n) {
        std::vector<double> by_label;
        for (std::size_t k = 0; k < drift.n; ++k) {
            const double* center = drift.centers.data() + k * drift.m;
            by_label.push_back(std::accumulate(center, center + drift.m, 0.0) / static_cast<double>(drift.m));
        }
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, {}, [&](std::size_t k) { return by_label[k]; });
        std::ranges::transform(order, means.begin(), [&](std::size_t k) { return by_label[k]; });
    }

    std::span<const std::size_t> near(double mean) const {
        const auto place = static_cast<std::size_t>(std::ranges::lower_bound(means, mean) - means.begin());
        const std::size_t first = place - std::min(place, kNeighbours);
        return std::span(order).subspan(first, std::min(place + kNeighbours, order.size()) - first);
    }
};

CenterTable ordered(const CenterTable& centers, std::size_t m, const std::vector<std::size_t>& order) {
    const std::size_t n = order.size();
    CenterTable sorted = centers;
    for (std::size_t place = 0; place < n; ++place) {
        for (std::size_t i = 0; i < m; ++i) {
            sorted.coefficients[i * n + place] = centers.coefficients[i * n + order[place]];
        }
        sorted.half_norms[place] = centers.half_norms[order[place]];
        sorted.labels[place] = centers.labels[order[place]];
    }
    return sorted;
}

/// Bit i: the centre at place i of the order can be the nearest to a patch within the bounds.
std::uint64_t candidates_of(const Drift& drift, const std::vector<PairDrift>& pairs, const MeanOrder& by_mean,
                            const ClassBounds& bounds) {
    const std::span<const std::size_t> neighbours =
        by_mean.near(bounds.min_mean + (bounds.max_mean - bounds.min_mean) / 2);
    std::uint64_t found = 0;
    for (std::size_t place = 0; place < drift.n; ++place) {
        const std::size_t rival = by_mean.order[place];
        const bool beaten = std::ranges::any_of(neighbours, [&](std::size_t other) {
            if (other == rival) return false;
            const double loss = pairs[other * drift.n + rival].loss(bounds);
            return loss + std::abs(loss) * 1e-9 + rounding_of(drift, other, rival, bounds.norm) < 0;
        });
        if (!beaten) found |= std::uint64_t{1} << place;
    }
    return found;
}

}  // namespace

void set_candidates(const KMeansPlan& plan, const PatchMargins& margins, PruneStep& step) {
    const Drift drift(plan);
    const MeanOrder by_mean(drift);
    std::vector<PairDrift> pairs;
    for (std::size_t own = 0; own < drift.n; ++own) {
        for (std::size_t rival = 0; rival < drift.n; ++rival) pairs.emplace_back(drift, own, rival);
    }
    step.use_candidates = true;
    step.by_mean = ordered(plan.centers, drift.m, by_mean.order);
    step.candidates.fill(~std::uint64_t{0} >> (64 - drift.n));
    step.candidates[PatchMargins::kVoid] = 0;
    for (int i_class = 0; i_class < PatchMargins::kOut; ++i_class) {
        const ClassBounds bounds = bounds_of(margins, i_class, static_cast<double>(drift.m));
        step.candidates[static_cast<std::size_t>(i_class)] = candidates_of(drift, pairs, by_mean, bounds);
    }
}

}  // namespace rastertide::cpu
