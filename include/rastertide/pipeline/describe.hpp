// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/compute/lof.hpp>
#include <rastertide/core/options.hpp>
#include <rastertide/read/open_series.hpp>

namespace rastertide {

/// The LOF run that a stack is described for.
struct DescribeOptions {
    LofParams lof;
    ComputeOptions compute;
    std::int64_t memory_limit_bytes = std::int64_t{4} << 30;
    int node_size = 1;             ///< ranks that share a node
    std::int64_t tile_n_cols = 0;  ///< -tile; 0 = chosen
    std::int64_t tile_n_rows = 0;
    bool verbose = false;  ///< of describe_text(): also why no device of the Cuda backend can be used
};

/// What a stack is, as JSON (UTF-8, indented, keys in a fixed order): format, pixel type, nodata, size, grid,
/// CRS, bands, blocks, scenes with their dates, bytes, the tile plan of a LOF run, the devices of the Cuda
/// backend, and the problems that such a run would meet. Bytes of names that are not UTF-8 become U+FFFD.
/// docs/reference/rastertide_info.md says what each key means. Reads no pixels.
std::string describe_json(const RasterSeries& series, const DescribeOptions& options);

/// The same for people to read, without the list of scenes if they are more than 20.
std::string describe_text(const RasterSeries& series, const DescribeOptions& options);

/// What keeps scenes from being a stack: JSON with the key `differences`, and a table for people to read.
std::string differences_json(const std::vector<SceneDifference>& differences);
std::string differences_text(const std::vector<SceneDifference>& differences);

}  // namespace rastertide
