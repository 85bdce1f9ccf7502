// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <rastertide/compute/lof.hpp>
#include <rastertide/core/log.hpp>
#include <rastertide/core/options.hpp>
#include <rastertide/pipeline/summary.hpp>
#include <rastertide/pipeline/threshold.hpp>
#include <rastertide/read/open_series.hpp>
#include <rastertide/reduce/communicator.hpp>
#include <rastertide/write/shard.hpp>

namespace rastertide {

/// A LOF run; field names are the options' names.
struct RunLofOptions {
    SeriesOptions series;
    std::string outdir;
    LofParams lof;
    Threshold threshold;
    ComputeOptions compute;
    std::int64_t memory_limit_bytes = std::int64_t{4} << 30;  ///< -mem: of all ranks of a node together
    std::int64_t tile_n_cols = 0;                             ///< -tile W H; 0 = choose
    std::int64_t tile_n_rows = 0;
    std::string format;  ///< -of: also one file of this format for lof and anomaly; empty = none
    std::vector<std::string> creation_options;  ///< -co: of the files of -of, else of the shards
    /// -ot: type of lof and lof_max in their files, Float32 or Float64.
    SampleType score_type = SampleType::Float32;
    /// -a_nodata: nodata value of lof and lof_max. Scores are positive, so 0, a negative number or NaN.
    double nodata = std::numeric_limits<double>::quiet_NaN();
    bool overwrite = false;
};

/// Scores a stack, finds its anomalies and writes every product of docs/reference/rastertide_lof.md to
/// options.outdir.
///
/// Two passes over the tiles, which ranks take from a shared counter: scores with their statistics, then
/// threshold, masks and counts. The products are the same bytes for any number of ranks and threads.
///
/// Collective: all ranks call it with the same options.
/// @throws Error  on every rank, with the same message, if any rank fails
LofSummary run_lof(const RunLofOptions& options, Communicator& comm, const Logger& logger = {},
                   const ProgressFn& progress = {});

}  // namespace rastertide
