// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rastertide/compute/lof.hpp>
#include <rastertide/core/options.hpp>
#include <rastertide/read/series.hpp>
#include <rastertide/tile/tiling.hpp>

namespace rastertide {

/// GDAL's block cache of one rank, from -mem.
std::int64_t block_cache_bytes(std::int64_t memory_limit_bytes, int node_size);

/// What a job keeps in memory beside the pixels of a tile.
struct MemoryNeeds {
    std::int64_t scratch_bytes = 0;          ///< of all threads of a rank
    std::int64_t bytes_per_shard_pixel = 4;  ///< of one buffer of results; there are two
    std::int64_t row_unit = 1;               ///< as in TileRequest
    std::int64_t shared_bytes = 0;           ///< of all ranks of a node together, whose parts are alike
};

MemoryNeeds lof_memory_needs(const RasterSeries& series, const LofParams& params,
                             const ComputeOptions& compute);

/// @param n_values    that a pixel has, at all dates together
/// @param sums_bytes  of the sums of all clusters of all fits
MemoryNeeds kmeans_memory_needs(std::int64_t n_values, std::int64_t sums_bytes,
                                const ComputeOptions& compute);

/// How a run over this stack is to be cut into tiles, so that `node_size` ranks keep memory_limit_bytes
/// together. Up to four ranks a node get the same plan. @throws InvalidArgument  the limit leaves nothing for
/// tiles
TileRequest make_tile_request(const RasterSeries& series, int patch_size, const MemoryNeeds& needs,
                              std::int64_t memory_limit_bytes, int node_size);

/// What is left of -mem for one rank beside the tiles that are worked on (each of at most `tile_bytes`) and a
/// job's other needs: pixels and labels may be kept in it from pass to pass. Never negative.
std::int64_t keep_bytes(std::int64_t memory_limit_bytes, int node_size, std::int64_t tile_bytes,
                        const MemoryNeeds& needs);

}  // namespace rastertide
