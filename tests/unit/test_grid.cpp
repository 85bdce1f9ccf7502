// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <gtest/gtest.h>

#include <rastertide/core/checked.hpp>
#include <rastertide/grid/grid.hpp>

namespace rastertide {
namespace {

constexpr Geotransform kNorthUp = {{480000, 10, 0, 5990000, 0, -10}};
constexpr Geotransform kRotated = {{100, 3, 4, 200, 4, -3}};

Grid grid() { return {300, 200, kNorthUp, "EPSG:32632", true}; }

TEST(GeotransformTest, PixelCornersMapToCoordinates) {
    const Geotransform::Point corner = kNorthUp.to_map(0, 0);
    const Geotransform::Point centre = kNorthUp.to_map(10.5, 20.5);

    EXPECT_EQ(corner.x, 480000);
    EXPECT_EQ(corner.y, 5990000);
    EXPECT_EQ(centre.x, 480105);
    EXPECT_EQ(centre.y, 5989795);
}

TEST(GeotransformTest, MapAndPixelAreInverse) {
    for (const Geotransform& transform : {kNorthUp, kRotated}) {
        const Geotransform::Point map = transform.to_map(17.25, -3.5);
        const Geotransform::Point pixel = transform.to_pixel(map.x, map.y);

        EXPECT_DOUBLE_EQ(pixel.x, 17.25);
        EXPECT_DOUBLE_EQ(pixel.y, -3.5);
    }
}

TEST(GeotransformTest, PixelsWithoutAreaHaveNoInverse) {
    constexpr Geotransform kFlat = {{0, 1, 2, 0, 2, 4}};

    EXPECT_THROW(kFlat.to_pixel(1, 1), InvalidArgument);
}

TEST(GeotransformTest, OnlyNegativePixelHeightsWithoutRotationAreNorthUp) {
    EXPECT_TRUE(kNorthUp.is_north_up());
    EXPECT_FALSE(kRotated.is_north_up());
    EXPECT_FALSE(Geotransform().is_north_up());
}

TEST(GridTest, ASubsetLiesWhereItsWindowLies) {
    const Grid subset = grid().subset({30, 20, 50, 60});

    EXPECT_EQ(subset.n_cols, 50);
    EXPECT_EQ(subset.n_rows, 60);
    EXPECT_EQ(subset.geotransform.c[0], 480300);
    EXPECT_EQ(subset.geotransform.c[3], 5989800);
    EXPECT_EQ(subset.crs_wkt, "EPSG:32632");
}

/// "what: found, expected; ..."
std::string differences(const Grid& found, SameCrs same_crs = nullptr) {
    std::string text;
    for (const GridDifference& one : grid_differences(found, grid(), same_crs)) {
        text += (text.empty() ? "" : "; ") + one.what + ": " + one.found + ", " + one.expected;
    }
    return text;
}

TEST(GridTest, EqualGridsHaveNoDifference) { EXPECT_EQ(differences(grid()), ""); }

TEST(GridTest, EveryDifferenceIsNamed) {
    Grid other = grid();
    other.n_cols = 301;
    EXPECT_EQ(differences(other), "size: 301 x 200 pixels, 300 x 200 pixels");

    other.geotransform.c[1] = 20;
    other.geotransform.c[3] += 5;
    EXPECT_EQ(differences(other),
              "size: 301 x 200 pixels, 300 x 200 pixels; pixel width: 20, 10; top edge: 5990005, 5990000");

    other = grid();
    other.has_geotransform = false;
    EXPECT_EQ(differences(other), "geotransform: none, one");

    other = grid();
    other.crs_wkt = "EPSG:32633";
    EXPECT_EQ(differences(other), "CRS: EPSG:32633, " + grid().crs_wkt);
}

TEST(GridTest, RoundedCoefficientsAreOneGridButHalfAPixelIsNot) {
    Grid other = grid();
    other.geotransform.c[0] += 0.001;
    EXPECT_EQ(differences(other), "");

    other.geotransform.c[0] += 5;
    EXPECT_NE(differences(other), "");
}

TEST(GridTest, CrsTextsThatMeanTheSameAreOneGrid) {
    Grid other = grid();
    other.crs_wkt = "+proj=utm +zone=32";

    EXPECT_EQ(differences(other, [](const std::string&, const std::string&) { return true; }), "");
}

TEST(WindowTest, IntersectionsAreTheCommonPart) {
    const Window a = {0, 0, 10, 10};

    EXPECT_EQ(intersect(a, {5, 7, 10, 10}), (Window{5, 7, 5, 3}));
    EXPECT_TRUE(intersect(a, {10, 0, 5, 5}).empty());
}

TEST(WindowTest, PaddingGrowsAndShrinks) {
    const Window window = {10, 20, 30, 40};

    EXPECT_EQ(window.padded(3), (Window{7, 17, 36, 46}));
    EXPECT_EQ(window.padded(3).padded(-3), window);
}

TEST(CheckedMul, ProductsThatDoNotFitThrow) {
    EXPECT_EQ(checked_mul(std::int64_t{1} << 31, std::int64_t{1} << 31), std::int64_t{1} << 62);
    EXPECT_THROW(checked_mul(std::int64_t{1} << 32, std::int64_t{1} << 31), InvalidArgument);
    EXPECT_THROW(checked_mul(std::int64_t{1} << 40, 1 << 20, 16), InvalidArgument);
}

}  // namespace
}  // namespace rastertide
