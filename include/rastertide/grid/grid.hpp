// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/grid/geotransform.hpp>
#include <rastertide/grid/window.hpp>

namespace rastertide {

/// Where a raster lies: its size in pixels, its geotransform and its CRS.
struct Grid {
    std::int64_t n_cols = 0;
    std::int64_t n_rows = 0;
    Geotransform geotransform;
    std::string crs_wkt;            ///< empty = unknown
    bool has_geotransform = false;  ///< false: geotransform is the default, the raster is not georeferenced

    Window extent() const { return {0, 0, n_cols, n_rows}; }
    /// The grid of a window of this grid.
    Grid subset(const Window& window) const;
};

/// Whether two CRS texts mean the same CRS. The grid layer compares text only; the raster layer passes a
/// function that knows more (axis order, aliases).
using SameCrs = bool (*)(const std::string& a_wkt, const std::string& b_wkt);

/// One field in which a grid is not as it should be, in words for messages.
struct GridDifference {
    std::string what;      ///< "size", "pixel width", "left edge", "CRS", ...
    std::string found;     ///< "10"; of "CRS" its text
    std::string expected;  ///< "20"
};

/// All fields in which `found` differs from `expected`, the most telling first; empty if both are one grid.
/// Corners may differ by up to `tolerance_px` of a pixel, since writers round their coefficients.
std::vector<GridDifference> grid_differences(const Grid& found, const Grid& expected, SameCrs same_crs,
                                             double tolerance_px = 1e-3);

}  // namespace rastertide
