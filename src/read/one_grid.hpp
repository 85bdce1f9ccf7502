// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include <rastertide/read/open_series.hpp>

#include "read/source.hpp"

namespace rastertide {

using Sources = std::vector<std::unique_ptr<RasterSource>>;

/// grid_differences(), with the names of CRS in place of their texts.
std::vector<GridDifference> differences_in_words(const Grid& found, const Grid& expected);

/// Makes all sources lie on the grid that options.grid asks for, and returns it.
/// @param grids  where the sources lie
/// @throws GridMismatch     they differ, and no option says what to do
/// @throws InvalidArgument  as of choose_grid() and window_of_grid(); a scene cannot be warped
Grid bring_onto_one_grid(Sources& sources, const std::vector<Grid>& grids, const SeriesOptions& options);

}  // namespace rastertide
