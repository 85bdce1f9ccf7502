// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/compute/lof.hpp>

#include "common/args.hpp"

namespace rastertide::utils {

/// -patch and -neighbors.
std::vector<OptionSpec> lof_option_specs();
/// What of them does not depend on the stack is checked. @throws UsageError, InvalidArgument
LofParams lof_params(const Args& args);

}  // namespace rastertide::utils
