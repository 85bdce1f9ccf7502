// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rastertide/read/open_series.hpp>

#include "pipeline/run_record.hpp"

namespace rastertide {

/// The options that chose grid, window and dates, as run.json holds them: null where one was not given.
Json grid_options_json(const SeriesOptions& options);

}  // namespace rastertide
