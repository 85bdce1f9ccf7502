// SPDX-License-Identifier: Apache-2.0
// The definition in double precision, with no tricks: what the other backends are held against.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "compute/kernels.hpp"
#include "core/parallel_for.hpp"

namespace rastertide::reference {
namespace {

struct Neighbor {
    double distance;
    std::int64_t date;
};

/// Ties go to the earlier date.
bool nearer(const Neighbor& a, const Neighbor& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.date < b.date);
}

/// The patches of every date at location (row, col), one after the other.
std::vector<double> read_patches(const PixelStack& pixels, std::int64_t patch_size, std::int64_t row,
                                 std::int64_t col) {
    std::vector<double> patches;
    patches.reserve(static_cast<std::size_t>(pixels.n_dates * pixels.n_bands * patch_size * patch_size));
    for (std::int64_t image = 0; image < pixels.n_dates * pixels.n_bands; ++image) {
        for (std::int64_t y = row; y < row + patch_size; ++y) {
            const float* line = pixels.data + (image * pixels.n_rows + y) * pixels.n_cols;
            patches.insert(patches.end(), line + col, line + col + patch_size);
        }
    }
    return patches;
}

double distance(const double* a, const double* b, std::int64_t n) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

std::vector<std::int64_t> valid_dates(const std::vector<double>& patches, std::int64_t n_dates,
                                      std::int64_t n_features) {
    std::vector<std::int64_t> dates;
    for (std::int64_t date = 0; date < n_dates; ++date) {
        const double* patch = patches.data() + date * n_features;
        if (std::none_of(patch, patch + n_features, [](double v) { return std::isnan(v); })) {
            dates.push_back(date);
        }
    }
    return dates;
}

/// The k nearest other points of each point, nearest first; `date` is the index into `dates`.
std::vector<std::vector<Neighbor>> find_neighbors(const std::vector<double>& patches,
                                                  const std::vector<std::int64_t>& dates,
                                                  std::int64_t n_features, std::int64_t k) {
    const auto n = static_cast<std::int64_t>(dates.size());
    std::vector<std::vector<Neighbor>> neighbors(dates.size());
    for (std::int64_t s = 0; s < n; ++s) {
        std::vector<Neighbor>& others = neighbors[s];
        for (std::int64_t t = 0; t < n; ++t) {
            if (t == s) continue;
            const double d = distance(patches.data() + dates[s] * n_features,
                                      patches.data() + dates[t] * n_features, n_features);
            others.push_back({d, t});
        }
        std::partial_sort(others.begin(), others.begin() + k, others.end(), nearer);
        others.resize(static_cast<std::size_t>(k));
    }
    return neighbors;
}

std::vector<double> local_reachability_densities(const std::vector<std::vector<Neighbor>>& neighbors) {
    std::vector<double> densities;
    for (const std::vector<Neighbor>& mine : neighbors) {
        double sum = 0;
        for (const Neighbor& o : mine) sum += std::max(neighbors[o.date].back().distance, o.distance);
        densities.push_back(1 / (sum / static_cast<double>(mine.size()) + 1e-10));
    }
    return densities;
}

/// Scores of all dates at one location; NaN where there is none.
std::vector<double> score_location(const PixelStack& pixels, const LofParams& params, std::int64_t row,
                                   std::int64_t col) {
    std::vector<double> scores(static_cast<std::size_t>(pixels.n_dates),
                               std::numeric_limits<double>::quiet_NaN());
    const std::int64_t n_features = pixels.n_bands * params.patch_size * params.patch_size;
    const std::vector<double> patches = read_patches(pixels, params.patch_size, row, col);
    const std::vector<std::int64_t> dates = valid_dates(patches, pixels.n_dates, n_features);
    const auto n = static_cast<std::int64_t>(dates.size());
    if (n < 3) return scores;

    const auto k = std::min<std::int64_t>(params.neighbors, n - 1);
    const auto neighbors = find_neighbors(patches, dates, n_features, k);
    const std::vector<double> densities = local_reachability_densities(neighbors);
    for (std::int64_t s = 0; s < n; ++s) {
        double sum = 0;
        for (const Neighbor& o : neighbors[s]) sum += densities[o.date];
        scores[dates[s]] = sum / static_cast<double>(k) / densities[s];
    }
    return scores;
}

}  // namespace

void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores, int n_threads) {
    const std::int64_t n_rows = pixels.n_rows - params.patch_size + 1;
    const std::int64_t n_cols = pixels.n_cols - params.patch_size + 1;
    parallel_for(n_rows * n_cols, n_threads, [&](std::int64_t i) {
        const std::int64_t row = i / n_cols;
        const std::int64_t col = i % n_cols;
        const std::vector<double> location = score_location(pixels, params, row, col);
        for (std::int64_t date = 0; date < pixels.n_dates; ++date) {
            scores.data[date * scores.date_stride + row * scores.row_stride + col] =
                static_cast<float>(location[date]);
        }
    });
}

std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               int n_threads) {
    const std::int64_t patch_bytes =
        n_bands * params.patch_size * params.patch_size * static_cast<std::int64_t>(sizeof(double));
    // A list of neighbours is cut to k but keeps the room of all.
    const std::int64_t neighbor_bytes = 2 * n_dates * static_cast<std::int64_t>(sizeof(Neighbor));
    return resolve_threads(n_threads) * n_dates * (patch_bytes + neighbor_bytes + 64);
}

}  // namespace rastertide::reference
