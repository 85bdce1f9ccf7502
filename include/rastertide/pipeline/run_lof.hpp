// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include <rastertide/compute/lof.hpp>
#include <rastertide/core/log.hpp>
#include <rastertide/pipeline/run_options.hpp>
#include <rastertide/pipeline/summary.hpp>
#include <rastertide/pipeline/threshold.hpp>
#include <rastertide/reduce/communicator.hpp>
#include <rastertide/write/shard.hpp>

namespace rastertide {

/// A LOF run; field names are the options' names.
struct RunLofOptions : RunOptions {
    LofParams lof;
    Threshold threshold;
    /// -ot: type of lof and lof_max in their files, Float32 or Float64.
    SampleType score_type = SampleType::Float32;
    /// -a_nodata: nodata value of lof and lof_max. Scores are positive, so 0, a negative number or NaN.
    double nodata = std::numeric_limits<double>::quiet_NaN();
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
