// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <rastertide/read/series.hpp>

namespace rastertide {

/// What makes the result of a run less than it could be, and what helps; empty if nothing does. What keeps a
/// run from starting is an error of its own.
std::vector<std::string> stack_problems(const RasterSeries& series);

}  // namespace rastertide
