// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace rastertide {

/// How many sources of a series keep their files open: half of what this process may open (ulimit -n), as
/// shards and libraries need the rest, and at most 500.
std::size_t max_open_sources();

}  // namespace rastertide
