// SPDX-License-Identifier: Apache-2.0
// From neighbours to scores: see lof() for the formulas. A thread has one location and one date; neighbouring
// threads have neighbouring locations, so that lists are read in whole lines.
#include <limits>

#include "compute/cuda/lof_kernels.hpp"

namespace rastertide::cuda {
namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    local_reachability_densities(std::int64_t n, int neighbors, LofArrays arrays) {
    const std::int64_t location = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
    if (location >= n) return;
    const std::int64_t date = blockIdx.y;
    const int count = arrays.counts[date * n + location];
    double sum = 0;
    for (int i = 0; i < count; ++i) {
        const std::int64_t place = (date * neighbors + i) * n + location;
        sum += fmaxf(arrays.k_distances[arrays.dates[place] * n + location], arrays.distances[place]);
    }
    if (count > 0) arrays.densities[date * n + location] = static_cast<float>(1 / (sum / count + 1e-10));
}

__global__ void __launch_bounds__(kThreads)
    outlier_factors(LocationGrid locations, int neighbors, LofArrays arrays, float* scores) {
    const std::int64_t n = locations.n_padded();
    const std::int64_t location = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
    const int row = static_cast<int>(location / locations.padded_cols()) - locations.skip_rows;
    const int col = static_cast<int>(location % locations.padded_cols()) - locations.skip_cols;
    if (row < 0 || row >= locations.n_rows || col < 0 || col >= locations.n_cols) return;
    const std::int64_t date = blockIdx.y;
    const int count = arrays.counts[date * n + location];
    float score = std::numeric_limits<float>::quiet_NaN();
    if (count > 0) {
        double sum = 0;
        for (int i = 0; i < count; ++i) {
            const std::int64_t place = (date * neighbors + i) * n + location;
            sum += arrays.densities[arrays.dates[place] * n + location];
        }
        score = static_cast<float>(sum / count / arrays.densities[date * n + location]);
    }
    scores[(date * locations.n_rows + row) * locations.n_cols + col] = score;
}

}  // namespace

void score_neighbors(const LofPart& part, const LofArrays& arrays, float* scores, cudaStream_t stream) {
    const std::int64_t n = part.locations.n_padded();
    const dim3 blocks(n_blocks(n, kThreads), static_cast<unsigned>(part.images.n_dates));
    launch("local_reachability_densities", local_reachability_densities, blocks, kThreads, stream, n,
           part.neighbors, arrays);
    launch("outlier_factors", outlier_factors, blocks, kThreads, stream, part.locations, part.neighbors,
           arrays, scores);
}

}  // namespace rastertide::cuda
