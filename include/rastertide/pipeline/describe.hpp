// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <rastertide/compute/lof.hpp>
#include <rastertide/read/series.hpp>

namespace rastertide {

/// What a stack is, as people read it: dates, grid, CRS, type, nodata, block layout, the tile plan of a LOF
/// run with these parameters and memory, bytes, problems.
std::string describe_text(const RasterSeries& series, const LofParams& lof, std::int64_t memory_limit_bytes);

/// The same as JSON (UTF-8, indented, keys in a fixed order); docs/reference says what each key means.
std::string describe_json(const RasterSeries& series, const LofParams& lof, std::int64_t memory_limit_bytes);

}  // namespace rastertide
