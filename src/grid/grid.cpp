// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include <rastertide/grid/grid.hpp>

namespace rastertide {
namespace {

std::string number(double value) {
    std::ostringstream out;
    out.precision(15);
    out << value;
    return out.str();
}

std::string size_text(const Grid& grid) {
    return std::to_string(grid.n_cols) + " x " + std::to_string(grid.n_rows) + " pixels";
}

/// The largest distance, in pixels of `expected`, that a corner of the raster has moved.
double corner_shift_px(const Grid& found, const Grid& expected) {
    double shift = 0;
    for (const double col : {0.0, static_cast<double>(expected.n_cols)}) {
        for (const double row : {0.0, static_cast<double>(expected.n_rows)}) {
            const Geotransform::Point map = found.geotransform.to_map(col, row);
            const Geotransform::Point pixel = expected.geotransform.to_pixel(map.x, map.y);
            shift = std::max({shift, std::abs(pixel.x - col), std::abs(pixel.y - row)});
        }
    }
    return shift;
}

/// The coefficients that differ, most visible first.
std::vector<GridDifference> geotransform_differences(const Geotransform& found, const Geotransform& expected,
                                                     double tolerance_px) {
    constexpr std::array<const char*, 6> kNames = {"left edge", "pixel width",     "row rotation",
                                                   "top edge",  "column rotation", "pixel height"};
    const double pixel = std::max(std::abs(expected.c[1]) + std::abs(expected.c[2]), 1e-300);
    std::vector<GridDifference> differences;
    for (const std::size_t i : {1U, 5U, 2U, 4U, 0U, 3U}) {
        const double tolerance = i == 0 || i == 3 ? pixel * tolerance_px : pixel * 1e-9;
        if (std::abs(found.c[i] - expected.c[i]) <= tolerance) continue;
        differences.push_back({kNames[i], number(found.c[i]), number(expected.c[i])});
    }
    if (differences.empty()) {
        differences.push_back({"corners", "more than " + number(tolerance_px) + " pixels off", "none off"});
    }
    return differences;
}

bool same_crs_text(const Grid& found, const Grid& expected, SameCrs same_crs) {
    return found.crs_wkt == expected.crs_wkt ||
           (same_crs != nullptr && !found.crs_wkt.empty() && !expected.crs_wkt.empty() &&
            same_crs(found.crs_wkt, expected.crs_wkt));
}

}  // namespace

Grid Grid::subset(const Window& window) const {
    Grid result = *this;
    result.n_cols = window.n_cols;
    result.n_rows = window.n_rows;
    result.geotransform =
        geotransform.shifted(static_cast<double>(window.col), static_cast<double>(window.row));
    return result;
}

std::vector<GridDifference> grid_differences(const Grid& found, const Grid& expected, SameCrs same_crs,
                                             double tolerance_px) {
    std::vector<GridDifference> differences;
    if (found.n_cols != expected.n_cols || found.n_rows != expected.n_rows) {
        differences.push_back({"size", size_text(found), size_text(expected)});
    }
    if (found.has_geotransform != expected.has_geotransform) {
        const auto text = [](const Grid& grid) { return grid.has_geotransform ? "one" : "none"; };
        differences.push_back({"geotransform", text(found), text(expected)});
    } else if (corner_shift_px(found, expected) > tolerance_px) {
        const auto more = geotransform_differences(found.geotransform, expected.geotransform, tolerance_px);
        differences.insert(differences.end(), more.begin(), more.end());
    }
    if (!same_crs_text(found, expected, same_crs)) {
        differences.push_back({"CRS", found.crs_wkt, expected.crs_wkt});
    }
    return differences;
}

}  // namespace rastertide
