// SPDX-License-Identifier: Apache-2.0
#include "read/extent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <sstream>

#include <ogr_spatialref.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>

#include "read/gdal_error.hpp"

namespace rastertide {
namespace {

// Writers round their coefficients.
constexpr double kTolerancePx = 1e-3;
// Points on each edge whose place in the other CRS is looked at: GDAL's number.
constexpr int kPointsOnEdge = 21;

OGRSpatialReference map_crs(const std::string& wkt, const std::string& option) {
    OGRSpatialReference crs;
    if (wkt.empty() || crs.importFromWkt(wkt.c_str()) != OGRERR_NONE) {
        throw InvalidArgument(option + ": the stack has no coordinate reference system; -a_srs gives one");
    }
    crs.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
    return crs;
}

Window window_of(double col, double row, double end_col, double end_row, const std::string& option) {
    const double most = std::numeric_limits<int>::max();
    for (const double size :
         {std::abs(col), std::abs(row), std::abs(end_col), std::abs(end_row), end_col - col, end_row - row}) {
        if (!(size < most)) throw InvalidArgument(option + ": more pixels than a raster can have");
    }
    const auto whole = [](double value) { return static_cast<std::int64_t>(value); };
    return {whole(col), whole(row), whole(end_col - col), whole(end_row - row)};
}

}  // namespace

std::string Extent::text() const {
    std::ostringstream out;
    out.precision(12);
    out << xmin << ' ' << ymin << ' ' << xmax << ' ' << ymax;
    return out.str();
}

Extent unite(const Extent& a, const Extent& b) {
    return {std::min(a.xmin, b.xmin), std::min(a.ymin, b.ymin), std::max(a.xmax, b.xmax),
            std::max(a.ymax, b.ymax)};
}

Extent intersect(const Extent& a, const Extent& b) {
    return {std::max(a.xmin, b.xmin), std::max(a.ymin, b.ymin), std::min(a.xmax, b.xmax),
            std::min(a.ymax, b.ymax)};
}

Extent extent_of(const Grid& grid) {
    const double infinity = std::numeric_limits<double>::infinity();
    Extent extent{infinity, infinity, -infinity, -infinity};
    for (const std::int64_t col : {std::int64_t{0}, grid.n_cols}) {
        for (const std::int64_t row : {std::int64_t{0}, grid.n_rows}) {
            const Geotransform::Point at =
                grid.geotransform.to_map(static_cast<double>(col), static_cast<double>(row));
            extent = unite(extent, {at.x, at.y, at.x, at.y});
        }
    }
    return extent;
}

Extent to_crs(const Extent& extent, const std::string& from_wkt, const std::string& to_wkt,
              const std::string& option) {
    if (from_wkt == to_wkt || (!to_wkt.empty() && is_same_crs(from_wkt, to_wkt))) return extent;
    const GdalErrorCapture errors;
    const OGRSpatialReference from = map_crs(from_wkt, option);
    const OGRSpatialReference to = map_crs(to_wkt, option);
    const std::unique_ptr<OGRCoordinateTransformation> transformation(
        OGRCreateCoordinateTransformation(&from, &to));
    Extent result;
    if (transformation == nullptr ||
        transformation->TransformBounds(extent.xmin, extent.ymin, extent.xmax, extent.ymax, &result.xmin,
                                        &result.ymin, &result.xmax, &result.ymax, kPointsOnEdge) == 0) {
        throw InvalidArgument(option + ": " + extent.text() + " has no place in the CRS " + crs_name(to_wkt) +
                              (errors.text().empty() ? "" : ": " + errors.text()));
    }
    return result;
}

Extent in_pixels(const Grid& grid, const Extent& extent) {
    const double infinity = std::numeric_limits<double>::infinity();
    Extent pixels{infinity, infinity, -infinity, -infinity};
    for (const double x : {extent.xmin, extent.xmax}) {
        for (const double y : {extent.ymin, extent.ymax}) {
            const Geotransform::Point at = grid.geotransform.to_pixel(x, y);
            pixels = unite(pixels, {at.x, at.y, at.x, at.y});
        }
    }
    return pixels;
}

Window pixels_outwards(const Grid& grid, const Extent& extent, const std::string& option) {
    const Extent pixels = in_pixels(grid, extent);
    return window_of(std::floor(pixels.xmin + kTolerancePx), std::floor(pixels.ymin + kTolerancePx),
                     std::ceil(pixels.xmax - kTolerancePx), std::ceil(pixels.ymax - kTolerancePx), option);
}

Window pixels_inwards(const Grid& grid, const Extent& extent, const std::string& option) {
    const Extent pixels = in_pixels(grid, extent);
    return window_of(std::ceil(pixels.xmin - kTolerancePx), std::ceil(pixels.ymin - kTolerancePx),
                     std::floor(pixels.xmax + kTolerancePx), std::floor(pixels.ymax + kTolerancePx), option);
}

}  // namespace rastertide
