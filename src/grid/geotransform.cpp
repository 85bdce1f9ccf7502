// SPDX-License-Identifier: Apache-2.0
#include <rastertide/core/error.hpp>
#include <rastertide/grid/geotransform.hpp>

namespace rastertide {

Geotransform::Point Geotransform::to_map(double col, double row) const {
    return {c[0] + col * c[1] + row * c[2], c[3] + col * c[4] + row * c[5]};
}

Geotransform::Point Geotransform::to_pixel(double x, double y) const {
    const double determinant = c[1] * c[5] - c[2] * c[4];
    if (determinant == 0) throw InvalidArgument("the geotransform has no inverse: its pixels have no area");
    const double dx = x - c[0];
    const double dy = y - c[3];
    return {(dx * c[5] - dy * c[2]) / determinant, (dy * c[1] - dx * c[4]) / determinant};
}

Geotransform Geotransform::shifted(double col, double row) const {
    const Point corner = to_map(col, row);
    Geotransform result = *this;
    result.c[0] = corner.x;
    result.c[3] = corner.y;
    return result;
}

}  // namespace rastertide
