// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/core/options.hpp>
#include <rastertide/read/open_series.hpp>

namespace rastertide {

/// What every run over a stack is told; field names are the options' names.
struct RunOptions {
    SeriesOptions series;
    std::string outdir;
    ComputeOptions compute;
    std::int64_t memory_limit_bytes = std::int64_t{4} << 30;  ///< -mem: of all ranks of a node together
    std::int64_t tile_n_cols = 0;                             ///< -tile W H; 0 = choose
    std::int64_t tile_n_rows = 0;
    std::string
        format;  ///< -of: also one file of this format for each product with a band a date; empty = none
    std::vector<std::string> creation_options;  ///< -co: of the files of -of, else of the shards
    bool overwrite = false;
    bool resume = false;  ///< go on with the run that outdir holds, if it holds one
};

}  // namespace rastertide
