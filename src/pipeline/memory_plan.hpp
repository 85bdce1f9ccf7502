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

/// How a LOF run of this stack is to be cut into tiles, so that `node_size` ranks keep memory_limit_bytes
/// together. Up to four ranks a node get the same plan. @throws InvalidArgument  the limit leaves nothing for
/// tiles
TileRequest make_tile_request(const RasterSeries& series, const LofParams& params,
                              const ComputeOptions& compute, std::int64_t memory_limit_bytes, int node_size);

}  // namespace rastertide
