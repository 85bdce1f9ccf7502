// SPDX-License-Identifier: Apache-2.0
// How gaps between the scores of two centres differ, at most, over the patches of a class.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "compute/cpu/kmeans_classes.hpp"
#include "compute/cpu/kmeans_rows.hpp"

namespace rastertide::cpu {

/// Centres of a pass and how they moved since the one before, [n_clusters][m].
struct Drift {
    /// @param coefficients, half_norms  of the pass before, as in a KMeansPlan
    Drift(const KMeansPlan& plan, std::span<const float> coefficients, std::span<const float> half_norms);
    /// As if all centres came from where scores are 0.
    explicit Drift(const KMeansPlan& plan);

    std::size_t n, m;
    std::vector<double> moves, centers, norms, half_norms, half_norm_moves;
};

/// How much a gap between two centres can shrink: level mean(x) + shape spread(x) - half_norms.
struct PairDrift {
    double level = 0, shape = 0, half_norms = 0;
    double gap = 0;  ///< of the own centre itself to the rival

    PairDrift(const Drift& drift, std::size_t own, std::size_t rival);

    double loss(const ClassBounds& bounds) const {
        return std::max(bounds.min_mean * level, bounds.max_mean * level) + bounds.spread * shape -
               half_norms;
    }
};

/// How far the computed gap between two centres may be off from that of the exact centres and pixels.
/// @param norm  of the patch
inline double rounding_of(const Drift& drift, std::size_t own, std::size_t rival, double norm) {
    const double per_term = (static_cast<double>(drift.m) + 5) * 0x1p-24 * 1.01;
    return per_term * (drift.half_norms[own] + drift.half_norms[rival] +
                       (drift.norms[own] + drift.norms[rival]) * norm) +
           1e-40;
}

}  // namespace rastertide::cpu
