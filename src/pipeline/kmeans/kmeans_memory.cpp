// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/kmeans_memory.hpp"

#include <algorithm>

#include "core/rounding.hpp"
#include "pipeline/kmeans/stack_share.hpp"
#include "pipeline/memory_plan.hpp"

namespace rastertide {
namespace {

// The sample: 1% of the patches, but enough for a good start and no more than can be fitted in a moment. It
// depends on neither -mem nor ranks, so that the result does not.
constexpr std::int64_t kMinSample = 20000;
constexpr std::int64_t kMaxSampleValues = std::int64_t{1} << 22;
// Every rank holds it a few times while it is gathered, sorted and fitted.
constexpr std::int64_t kSampleCopies = 6;

/// Sums of all fits, each feature row padded to whole vectors of the kernel.
std::int64_t sums_bytes(const RunKMeansOptions& options, std::int64_t n_features) {
    const bool in_parts = options.algorithm == KMeansAlgorithm::BatchParallel;
    std::int64_t n = 0;
    for (std::int64_t k = options.min_clusters; k <= options.max_clusters; ++k)
        n += in_parts ? clusters_of_part(k) : k;
    const std::int64_t p = options.patch_size;
    const std::int64_t padded = p == 1 ? n_features : n_features / p * round_up(p, 8);
    return checked_mul(n, options.n_init, padded + 1) * std::int64_t{sizeof(std::int64_t)};
}

std::int64_t n_features(const RunKMeansOptions& options, const RasterSeries& series) {
    const std::int64_t n_bands =
        options.time_features ? series.n_dates() * series.n_bands() : series.n_bands();
    return n_bands * options.patch_size * options.patch_size;
}

std::int64_t sample_size(const RunKMeansOptions& options, std::int64_t n_features, std::int64_t n_patches) {
    if (!options.model_file.empty()) return 0;
    if (options.algorithm == KMeansAlgorithm::Lloyd && options.init != KMeansInit::Sample) return 0;
    const std::int64_t least = 4 * options.max_clusters;
    return std::max(least, std::min(std::max(n_patches / 100, kMinSample), kMaxSampleValues / n_features));
}

/// With those at the rim, and those that hold nodata.
std::int64_t n_raster_patches(const RunKMeansOptions& options, const RasterSeries& series) {
    return checked_mul(series.grid().extent().n_pixels(), options.time_features ? 1 : series.n_dates());
}

MemoryNeeds memory_needs(const RunKMeansOptions& options, const RasterSeries& series) {
    const std::int64_t m = n_features(options, series);
    const std::int64_t n_dates = options.time_features ? 1 : series.n_dates();
    const std::int64_t n_patches = n_raster_patches(options, series);
    MemoryNeeds needs =
        kmeans_memory_needs(series.n_dates() * series.n_bands(), sums_bytes(options, m), options.compute);
    const std::int64_t n_sampled = std::min(n_patches, sample_size(options, m, n_patches));
    needs.scratch_bytes += kSampleCopies * n_sampled * m * std::int64_t{sizeof(float)};
    needs.shared_bytes = share_bytes(options, series.n_bands(), n_patches);
    needs.scratch_bytes += n_dates * options.max_clusters * std::int64_t{sizeof(std::int64_t)};  // sizes
    return needs;
}

}  // namespace

TileRequest kmeans_tile_request(const RunKMeansOptions& options, const RasterSeries& series, int node_size) {
    TileRequest request = make_tile_request(series, options.patch_size, memory_needs(options, series),
                                            options.memory_limit_bytes, node_size);
    request.tile_n_cols = options.tile_n_cols;
    request.tile_n_rows = options.tile_n_rows;
    return request;
}

std::int64_t sample_size(const KMeansRun& run, std::int64_t n_patches) {
    return sample_size(run.options, run.n_features(), n_patches);
}

std::int64_t share_step(const KMeansRun& run) {
    return share_step(run.options, run.series.n_bands(), n_raster_patches(run.options, run.series));
}

std::int64_t planned_share_bytes(const KMeansRun& run) {
    return share_bytes(run.options, run.series.n_bands(), n_raster_patches(run.options, run.series)) /
           run.comm.node_size();
}

std::int64_t bytes_to_keep(const KMeansRun& run) {
    const RunKMeansOptions& options = run.options;
    const TileRequest request = kmeans_tile_request(options, run.series, run.comm.node_size());
    return keep_bytes(options.memory_limit_bytes, run.comm.node_size(),
                      tile_bytes(request, run.plan.tile_n_cols, run.plan.tile_n_rows),
                      memory_needs(options, run.series));
}

}  // namespace rastertide
