// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/kmeans_memory.hpp"

#include "pipeline/memory_plan.hpp"

namespace rastertide {
namespace {

std::int64_t sums_bytes(const RunKMeansOptions& options, std::int64_t n_features) {
    std::int64_t n = 0;
    for (std::int64_t k = options.min_clusters; k <= options.max_clusters; ++k) n += k;
    return checked_mul(n, options.n_init, n_features + 1) * std::int64_t{sizeof(std::int64_t)};
}

MemoryNeeds memory_needs(const RunKMeansOptions& options, const RasterSeries& series) {
    const std::int64_t n_values = series.n_dates() * series.n_bands();
    const std::int64_t n_bands = options.time_features ? n_values : series.n_bands();
    const std::int64_t n_features = n_bands * options.patch_size * options.patch_size;
    return kmeans_memory_needs(n_values, sums_bytes(options, n_features), options.compute);
}

}  // namespace

TileRequest kmeans_tile_request(const RunKMeansOptions& options, const RasterSeries& series, int node_size) {
    TileRequest request = make_tile_request(series, options.patch_size, memory_needs(options, series),
                                            options.memory_limit_bytes, node_size);
    request.tile_n_cols = options.tile_n_cols;
    request.tile_n_rows = options.tile_n_rows;
    return request;
}

std::int64_t bytes_to_keep(const KMeansRun& run) {
    const RunKMeansOptions& options = run.options;
    const TileRequest request = kmeans_tile_request(options, run.series, run.comm.node_size());
    return keep_bytes(options.memory_limit_bytes, run.comm.node_size(),
                      tile_bytes(request, run.plan.tile_n_cols, run.plan.tile_n_rows),
                      memory_needs(options, run.series).scratch_bytes);
}

}  // namespace rastertide
