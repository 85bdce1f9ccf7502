// SPDX-License-Identifier: Apache-2.0
// When the scenes of a series are of, and which of them are in the range of dates that is asked for.
#pragma once

#include <vector>

#include <rastertide/read/open_series.hpp>

#include "read/open_sources.hpp"
#include "read/series_impl.hpp"

namespace rastertide {

/// Gives the scenes their dates, see open_series().
/// @throws InvalidArgument  dates are missing, not understood or too many
void find_dates(std::vector<Scene>& scenes, const OpenedSources& opened, const SeriesOptions& options,
                const Logger& logger);

/// Scenes of one date stay in their order.
void sort_by_date(std::vector<Scene>& scenes, const Logger& logger);

/// Those within -start_date and -end_date. @throws InvalidArgument  none is left, or they have no dates
void keep_date_range(std::vector<Scene>& scenes, const SeriesOptions& options);

/// The first date and every n-th after it. @throws InvalidArgument  n < 1
void keep_every(std::vector<Scene>& scenes, std::int64_t step);

}  // namespace rastertide
