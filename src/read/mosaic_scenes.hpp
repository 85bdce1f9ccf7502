// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <rastertide/read/grid_options.hpp>

#include "read/series_impl.hpp"

namespace rastertide {

/// Joins scenes of one date: the first, in the order of the inputs, becomes the scene, the others fill where
/// it has no valid pixel.
/// @param scenes  in the order of the inputs, all with a date or none
/// @param grids   of the sources, as the files have them
/// @throws InvalidArgument  a rule asks for dates and there are none
std::vector<Scene> mosaic_scenes(std::vector<Scene> scenes, const std::vector<Grid>& grids, MosaicRule rule);

}  // namespace rastertide
