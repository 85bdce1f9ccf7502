// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/kmeans_candidates.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "compute/cpu/kmeans_classes.hpp"
#include "compute/cpu/kmeans_drift.hpp"
#include "core/parallel_for.hpp"

namespace rastertide::cpu {
namespace {

/// Of so many centres on either side of a class in mean, each may prove that others are none of its
/// candidates.
constexpr std::size_t kNeighbours = 4;

/// Ranges cost as much as they save of some ten thousand patches.
constexpr std::int64_t kLeastPatches = 32'768;
/// Candidates are bits of 64; of few centres, or short sums, finding them costs what they save.
constexpr std::int64_t kFewestCenters = 3, kMostCenters = 64, kLeastTerms = 80;

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

std::vector<PairDrift> pairs_of(const Drift& drift) {
    std::vector<PairDrift> pairs;
    for (std::size_t own = 0; own < drift.n; ++own) {
        for (std::size_t rival = 0; rival < drift.n; ++rival) pairs.emplace_back(drift, own, rival);
    }
    return pairs;
}

bool ranges_pay(const KMeansPlan& plan, int n_threads) {
    const std::int64_t n_terms = plan.n_clusters * plan.row_lines * plan.patch;
    if (plan.n_clusters < kFewestCenters || plan.n_clusters > kMostCenters || n_terms < kLeastTerms)
        return false;
    return plan.n_dates * plan.n_rows * plan.n_cols / n_threads >= kLeastPatches;
}

/// Lays the cells about the centres. @return false if all have one mean
bool set_cells(const MeanOrder& by_mean, double m, CandidateRanges& ranges) {
    const double range = by_mean.means.back() - by_mean.means.front();
    ranges.lowest_mean = static_cast<float>(by_mean.means.front() - range / 4);
    ranges.cells_per_mean = static_cast<float>(CandidateRanges::kMeans / (1.5 * range));
    // Patches that spread more than the centres have them all for candidates.
    const auto most_square = static_cast<float>(2 * m * range * range);
    const std::int32_t last = std::bit_cast<std::int32_t>(most_square) >> CandidateRanges::kSpreadShift;
    ranges.first_spread = last + 1 - CandidateRanges::kSpreads;
    return range > 1e-12 && ranges.first_spread > 0;
}

/// Bounds of a cell. The two roundings of a mean's cell move it by less than 3 x 2^-24 of its distance to the
/// lowest.
ClassBounds bounds_of(const CandidateRanges& ranges, int mean, int spread, double m) {
    const double lowest = ranges.lowest_mean, width = 1 / static_cast<double>(ranges.cells_per_mean);
    const std::int32_t end = (ranges.first_spread + spread + 1) << CandidateRanges::kSpreadShift;
    return bounds_within(lowest + mean * width * (1 - 3 * 0x1p-24),
                         lowest + (mean + 1) * width * (1 + 3 * 0x1p-24), std::bit_cast<float>(end), m);
}

}  // namespace

bool has_huge_centers(const KMeansPlan& plan) {
    return std::ranges::any_of(plan.centers.half_norms, [](float h) { return !(h < 1e36F); });
}

CandidateRanges candidate_ranges(const KMeansPlan& plan, int n_threads) {
    CandidateRanges ranges;
    if (!ranges_pay(plan, resolve_threads(n_threads)) || has_huge_centers(plan)) return ranges;
    const Drift drift(plan);
    const MeanOrder by_mean(drift);
    const std::vector<PairDrift> pairs = pairs_of(drift);
    if (!set_cells(by_mean, static_cast<double>(drift.m), ranges)) return ranges;
    ranges.in_use = true;
    ranges.by_mean = ordered(plan.centers, drift.m, by_mean.order);
    for (int spread = 0; spread < CandidateRanges::kSpreads; ++spread) {
        auto& begins = ranges.begins[static_cast<std::size_t>(spread)];
        auto& ends = ranges.ends[static_cast<std::size_t>(spread)];
        for (int mean = 0; mean < CandidateRanges::kMeans; ++mean) {
            const ClassBounds bounds = bounds_of(ranges, mean, spread, static_cast<double>(drift.m));
            const std::uint64_t found = candidates_of(drift, pairs, by_mean, bounds);
            begins[static_cast<std::size_t>(mean)] = static_cast<std::uint8_t>(std::countr_zero(found));
            ends[static_cast<std::size_t>(mean)] = static_cast<std::uint8_t>(std::bit_width(found));
        }
        const auto least = [](std::uint8_t a, std::uint8_t b) { return std::min(a, b); };
        const auto most = [](std::uint8_t a, std::uint8_t b) { return std::max(a, b); };
        std::partial_sum(begins.rbegin(), begins.rend(), begins.rbegin(), least);
        std::partial_sum(ends.begin(), ends.end(), ends.begin(), most);
    }
    return ranges;
}

}  // namespace rastertide::cpu
