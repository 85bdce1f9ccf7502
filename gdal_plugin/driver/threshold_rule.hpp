// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/lazy_request.hpp"

namespace rastertide::plugin {

/// The rule in the words of -threshold; of a summary.json that of its run.
std::string threshold_rule(const LazyRequest& request);

/// The threshold, if it can be had without a score: a value, or that of a summary.json.
/// @throws InvalidArgument, IoError  the summary cannot be read, or is of a run with other parameters
std::optional<double> known_threshold(const LazyRequest& request);

/// What the rule says of these scores; NaN do not count. NaN if there are none.
double threshold_of_scores(const std::string& rule, std::vector<float> scores);

}  // namespace rastertide::plugin
