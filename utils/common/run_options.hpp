// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rastertide/pipeline/run_options.hpp>

#include "common/args.hpp"

namespace rastertide::utils {

/// What all runs over a stack are told: -o, -of, -co, -overwrite, and what stack_options.hpp reads.
/// @param node_size  ranks that share this node's cores
/// @throws UsageError, InvalidArgument
void set_run_options(RunOptions& options, const Args& args, int node_size);

}  // namespace rastertide::utils
