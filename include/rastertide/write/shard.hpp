// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>

namespace rastertide {

enum class SampleType { Byte, UInt16, Float32, Float64 };

std::int64_t bytes_of(SampleType type);

/// What all shards of a product share.
struct ShardFormat {
    SampleType type = SampleType::Float32;  ///< in the file; in memory Float64 is Float32
    double nodata = 0;  ///< of float products, which hold NaN in memory: what the file has in its place
    std::vector<std::string> creation_options;  ///< of GDAL's GTiff driver, NAME=VALUE
};

/// Writes one tile of a product as a GeoTIFF: to a temporary name, then renamed, so that a shard is whole or
/// absent. A lossless one holds a checksum of its pixels (XXH3), which read_shard() compares.
///
/// @param path    of the shard; its folder exists
/// @param grid    of the shard: its size, and where it lies
/// @param data    [n_bands][grid.n_rows][grid.n_cols] of format.type
/// @throws IoError  naming the shard and GDAL's text (no space left, ...)
void write_shard(const std::string& path, const Grid& grid, std::int64_t n_bands, const ShardFormat& format,
                 const void* data);

/// Reads a shard back, whole. @param data as for write_shard()
/// @throws IoError  missing, unreadable, damaged, or of another size than expected
void read_shard(const std::string& path, const Grid& grid, std::int64_t n_bands, const ShardFormat& format,
                void* data);

}  // namespace rastertide
