// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <rastertide/read/open_series.hpp>

#include "read/source.hpp"

namespace rastertide {

/// grid_differences(), with the names of CRS in place of their texts.
std::vector<GridDifference> differences_in_words(const Grid& found, const Grid& expected);

/// The first of these as a text: "pixel width 10, expected 20"; empty if there is none.
std::string first_difference(const Grid& found, const Grid& expected);

/// Makes sources be read as parts of a grid: windows where the pixels are the same, else warped by
/// options.grid.r. Sources of one grid share a transformer.
/// @param grids  where the sources lie
/// @throws InvalidArgument  one has no place, or cannot be warped
void place_sources(Sources& sources, const std::vector<Grid>& grids, const Grid& target,
                   const SeriesOptions& options);

/// Makes all sources lie on the grid that options.grid asks for, and returns it.
/// @param grids  where the sources lie
/// @throws GridMismatch     they differ, and no option says what to do
/// @throws InvalidArgument  as of choose_grid() and window_of_grid(); a scene cannot be warped
Grid bring_onto_one_grid(Sources& sources, const std::vector<Grid>& grids, const SeriesOptions& options);

}  // namespace rastertide
