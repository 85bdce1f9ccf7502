// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/read/grid_options.hpp>

namespace rastertide {

/// The grid that -align, -te, -tr, -tap and -t_srs ask for. Without -tr and -t_srs its pixels are those of
/// the first scene, so that scenes on that grid are not resampled; with them it is as gdalwarp would choose
/// it.
/// @param grids  of the scenes, in the order of the inputs
/// @param names  of the scenes, for messages
/// @throws InvalidArgument  the extent does not meet the scenes, or a scene has no place in the CRS
Grid choose_grid(const std::vector<Grid>& grids, const std::vector<std::string>& names,
                 const GridOptions& options);

/// The part of a grid that -projwin asks for, whole pixels outwards; all of it without -projwin.
/// @throws InvalidArgument  it does not meet the grid
Window window_of_grid(const Grid& grid, const GridOptions& options);

}  // namespace rastertide
