// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace rastertide::plugin {

/// `gdal raster lof` and `gdal raster kmeans`, where GDAL has such commands: 3.11 and newer. Else does
/// nothing.
void register_algorithms();

}  // namespace rastertide::plugin
