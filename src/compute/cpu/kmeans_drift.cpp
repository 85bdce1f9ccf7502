// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/kmeans_drift.hpp"

#include <algorithm>
#include <cmath>

namespace rastertide::cpu {

Drift::Drift(const KMeansPlan& plan, std::span<const float> coefficients, std::span<const float> last_norms)
    : n(static_cast<std::size_t>(plan.n_clusters)), m(static_cast<std::size_t>(plan.row_lines * plan.patch)) {
    moves.resize(n * m);
    centers.resize(n * m);
    for (std::size_t k = 0; k < n; ++k) {
        double square = 0;
        for (std::size_t i = 0; i < m; ++i) {
            const auto now = static_cast<double>(plan.centers.coefficients[i * n + k]);
            moves[k * m + i] = now - static_cast<double>(coefficients[i * n + k]);
            centers[k * m + i] = now;
            square += now * now;
        }
        const auto half_norm = static_cast<double>(plan.centers.half_norms[k]);
        norms.push_back(std::sqrt(square));
        half_norms.push_back(std::abs(half_norm));
        half_norm_moves.push_back(half_norm - static_cast<double>(last_norms[k]));
    }
}

Drift::Drift(const KMeansPlan& plan)
    : Drift(plan, std::vector<float>(plan.centers.coefficients.size()),
            std::vector<float>(plan.centers.half_norms.size())) {}

PairDrift::PairDrift(const Drift& drift, std::size_t own, std::size_t rival) {
    const double* own_moves = drift.moves.data() + own * drift.m;
    const double* rival_moves = drift.moves.data() + rival * drift.m;
    double square = 0;
    for (std::size_t i = 0; i < drift.m; ++i) {
        const double move = rival_moves[i] - own_moves[i];
        const double apart = drift.centers[rival * drift.m + i] - drift.centers[own * drift.m + i];
        level += move;
        square += move * move;
        gap += apart * apart / 2;
    }
    const auto m = static_cast<double>(drift.m);
    // The difference of two large squares may lose all its digits: a relative 1e-12 is far above that.
    shape = std::sqrt(std::max(square - level * level / m, 0.0) + square * 1e-12);
    half_norms = drift.half_norm_moves[rival] - drift.half_norm_moves[own];
}

}  // namespace rastertide::cpu
