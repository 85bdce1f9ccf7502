// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <rastertide/pipeline/run_kmeans.hpp>

#include "common/args.hpp"

namespace rastertide::utils {

/// What K-Means alone has, -patch to -lazy.
std::vector<OptionSpec> kmeans_option_specs();
/// @throws UsageError
void set_kmeans_options(RunKMeansOptions& options, const Args& args);

}  // namespace rastertide::utils
