// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <rastertide/read/grid_options.hpp>

#include "common/args.hpp"

namespace rastertide::utils {

/// Options that say on which grid a stack is read.
std::vector<OptionSpec> grid_option_specs();
/// @throws UsageError, InvalidArgument
GridOptions grid_options(const Args& args);

}  // namespace rastertide::utils
