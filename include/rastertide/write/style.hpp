// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <rastertide/write/mosaic.hpp>

namespace rastertide {

/// One entry of a QGIS colour ramp or legend.
struct StyleClass {
    double value = 0;
    ColorEntry color;
    std::string label;
};

/// A QGIS style (.qml) that shows band `i_band` as a continuous ramp through `classes`.
std::string pseudocolor_style(int i_band, const std::vector<StyleClass>& classes);

/// A QGIS style (.qml) that shows band `i_band` as named classes.
std::string paletted_style(int i_band, const std::vector<StyleClass>& classes);

}  // namespace rastertide
