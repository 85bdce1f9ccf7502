// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/compute/lof.hpp>

#include "common/args.hpp"

namespace rastertide::utils {

/// -patch and -neighbors.
std::vector<OptionSpec> lof_option_specs();
/// -threshold.
OptionSpec threshold_option_spec();
/// What of the first two does not depend on the stack is checked. @throws UsageError, InvalidArgument
LofParams lof_params(const Args& args);

}  // namespace rastertide::utils
