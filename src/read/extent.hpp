// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <rastertide/grid/grid.hpp>

namespace rastertide {

/// A rectangle of a map.
struct Extent {
    double xmin = 0, ymin = 0, xmax = 0, ymax = 0;

    bool empty() const { return !(xmin < xmax && ymin < ymax); }
    /// "480000 5989880 480160 5990000", as -te takes it.
    std::string text() const;
};

Extent unite(const Extent& a, const Extent& b);
/// empty() where they do not meet.
Extent intersect(const Extent& a, const Extent& b);

/// What a grid covers.
Extent extent_of(const Grid& grid);

/// The extent in another CRS that covers this one, its edges curved or not.
/// @param option  for messages @throws InvalidArgument a CRS is unknown, or has no such place
Extent to_crs(const Extent& extent, const std::string& from_wkt, const std::string& to_wkt,
              const std::string& option);

/// The extent's bounding box in a grid's pixels, as fractions.
Extent in_pixels(const Grid& grid, const Extent& extent);

/// The pixels that an extent touches, a thousandth of a pixel forgiven; they may lie beyond the grid.
/// @throws InvalidArgument  more pixels than GDAL can count
Window pixels_outwards(const Grid& grid, const Extent& extent, const std::string& option);
/// The pixels that lie in it, as much forgiven.
Window pixels_inwards(const Grid& grid, const Extent& extent, const std::string& option);

}  // namespace rastertide
