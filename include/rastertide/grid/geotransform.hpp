// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace rastertide {

/// GDAL's six coefficients: x = c[0] + col*c[1] + row*c[2], y = c[3] + col*c[4] + row*c[5], for pixel
/// corners. Units are those of the CRS. The default maps pixels to themselves (no georeference).
struct Geotransform {
    std::array<double, 6> c = {0, 1, 0, 0, 0, 1};

    struct Point {
        double x, y;
    };

    /// Map position of a (fractional) pixel position; (0, 0) is the outer corner of the first pixel.
    Point to_map(double col, double row) const;
    /// Fractional pixel position (x = col, y = row) of a map position.
    /// @throws InvalidArgument if the coefficients have no inverse
    Point to_pixel(double x, double y) const;
    /// The same grid seen from a window whose upper left pixel is (col, row).
    Geotransform shifted(double col, double row) const;
    bool is_north_up() const { return c[2] == 0 && c[4] == 0 && c[5] < 0; }

    friend bool operator==(const Geotransform&, const Geotransform&) = default;
};

}  // namespace rastertide
