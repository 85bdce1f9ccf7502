// SPDX-License-Identifier: Apache-2.0
// -resume: whether a folder holds the run that is asked for.
#pragma once

#include <string>

#include <rastertide/pipeline/run_options.hpp>

#include "pipeline/run_record.hpp"

namespace rastertide {

/// Whether -resume is given and finds a run.
bool finds_run_to_resume(const RunOptions& options);

/// Tiles are those of the run that goes on, whatever ranks and memory there are now: its shards are of that
/// size. @throws InvalidArgument  run.json is not the record of a run
void take_tiles_of_run(RunOptions& options, const RunKind& kind);

/// So are the inputs that it left out, which may be readable now. @throws InvalidArgument  as above
void take_inputs_of_run(RunOptions& options, const RunKind& kind);

/// @throws InvalidArgument  naming the first difference between the run in the folder and the one asked for
void require_same_run(const std::string& outdir, const RunKind& kind, const Json& record);

}  // namespace rastertide
