// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/tile/tiling.hpp>

namespace rastertide {
namespace {

TileRequest request_of(std::int64_t n_cols, std::int64_t n_rows, std::int64_t patch_size) {
    TileRequest request;
    request.n_cols = n_cols;
    request.n_rows = n_rows;
    request.patch_size = patch_size;
    request.block_n_cols = 128;
    request.block_n_rows = 128;
    request.bytes_per_source_pixel = 100;
    request.bytes_per_shard_pixel = 100;
    request.budget_bytes = std::int64_t{1} << 40;
    return request;
}

/// How often each pixel of the raster lies in `window(tile)`.
template <class GetWindow>
std::vector<int> coverage(const TileRequest& request, const TilePlan& plan, GetWindow window) {
    std::vector<int> covered(static_cast<std::size_t>(request.n_cols * request.n_rows), 0);
    for (const Tile& tile : plan.tiles) {
        const Window w = window(tile);
        for (std::int64_t row = w.row; row < w.end_row(); ++row) {
            for (std::int64_t col = w.col; col < w.end_col(); ++col) {
                ++covered.at(static_cast<std::size_t>(row * request.n_cols + col));
            }
        }
    }
    return covered;
}

class TilingShapes : public testing::TestWithParam<std::tuple<int, int, int, int, int>> {};

TEST_P(TilingShapes, ShardsPartitionTheRasterAndLocationsItsInside) {
    const auto [n_cols, n_rows, patch, tile_cols, tile_rows] = GetParam();
    TileRequest request = request_of(n_cols, n_rows, patch);
    request.tile_n_cols = tile_cols;
    request.tile_n_rows = tile_rows;

    const TilePlan plan = make_tiles(request);

    const std::vector<int> shards = coverage(request, plan, [](const Tile& tile) { return tile.shard; });
    const std::vector<int> locations =
        coverage(request, plan, [](const Tile& tile) { return tile.locations; });
    const int half = patch / 2;
    for (std::int64_t row = 0; row < n_rows; ++row) {
        for (std::int64_t col = 0; col < n_cols; ++col) {
            const auto i = static_cast<std::size_t>(row * n_cols + col);
            const bool inside = row >= half && row < n_rows - half && col >= half && col < n_cols - half;
            ASSERT_EQ(shards[i], 1) << row << ' ' << col;
            ASSERT_EQ(locations[i], inside ? 1 : 0) << row << ' ' << col;
        }
    }
    for (const Tile& tile : plan.tiles) {
        EXPECT_EQ(tile.shard.col % kColumnRun, 0);
        if (tile.locations.empty()) continue;
        EXPECT_EQ(tile.source, tile.locations.padded(half));
        EXPECT_EQ(intersect(tile.source, {0, 0, n_cols, n_rows}), tile.source);
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, TilingShapes,
                         testing::Values(std::tuple{100, 80, 7, 0, 0}, std::tuple{100, 80, 7, 32, 11},
                                         std::tuple{7, 7, 7, 0, 0}, std::tuple{65, 9, 1, 16, 2},
                                         std::tuple{40, 40, 31, 16, 5}, std::tuple{300, 1, 1, 0, 0},
                                         std::tuple{1, 300, 1, 16, 100}, std::tuple{33, 33, 3, 1000, 1000}));

TEST(Tiling, TilesOfWholeBlocksAreChosenForTiledFiles) {
    TileRequest request = request_of(5660, 2100, 7);

    const TilePlan plan = make_tiles(request);

    EXPECT_EQ(plan.tile_n_cols % 128, 0);
    EXPECT_EQ(plan.tile_n_rows % 128, 0);
    EXPECT_GE(plan.tiles.size(), 32U);
    EXPECT_LE(plan.tiles.size(), 160U);
}

TEST(Tiling, FullWidthTilesAreChosenForStrips) {
    TileRequest request = request_of(5660, 2100, 7);
    request.block_n_cols = 5660;
    request.block_n_rows = 1;

    EXPECT_GE(make_tiles(request).tile_n_cols, 5660);
}

TEST(Tiling, TilesKeepTheBudget) {
    for (const std::int64_t budget : {100'000, 1'000'000, 50'000'000}) {
        TileRequest request = request_of(20000, 20000, 7);
        request.budget_bytes = budget;

        const TilePlan plan = make_tiles(request);

        EXPECT_LE(tile_bytes(request, plan.tile_n_cols, plan.tile_n_rows), budget);
    }
}

std::string message_of(const TileRequest& request) {
    try {
        make_tiles(request);
    } catch (const InvalidArgument& error) {
        return error.what();
    }
    return "";
}

TEST(Tiling, APatchLargerThanTheRasterIsAnError) {
    EXPECT_EQ(message_of(request_of(20, 5, 7)), "patch 7 is larger than the raster of 20 x 5 pixels");
}

TEST(Tiling, ABudgetThatHoldsNoTileIsAnErrorThatNamesTheOption) {
    TileRequest request = request_of(20000, 20000, 31);
    request.budget_bytes = 1000;

    EXPECT_NE(message_of(request).find("-mem"), std::string::npos);
    request.budget_bytes = std::int64_t{1} << 30;
    request.tile_n_cols = 20000;
    request.tile_n_rows = 20000;
    EXPECT_NE(message_of(request).find("-tile 20000 x 20000 takes"), std::string::npos);
}

TEST(Tiling, MoreTilesThanARunCanListAreAnError) {
    TileRequest request = request_of(10'000'000, 10'000'000, 7);
    request.budget_bytes = std::int64_t{1} << 25;
    try {
        make_tiles(request);
        FAIL() << "expected InvalidArgument";
    } catch (const InvalidArgument& error) {
        EXPECT_NE(std::string(error.what()).find("10000000 x 10000000 pixels has more than 4194304 tiles of"),
                  std::string::npos)
            << error.what();
    }
}

TEST(Tiling, SizesThatOverflowAreAnError) {
    TileRequest request = request_of(std::int64_t{1} << 40, std::int64_t{1} << 40, 7);
    request.tile_n_cols = std::int64_t{1} << 40;
    request.tile_n_rows = std::int64_t{1} << 40;

    EXPECT_NE(message_of(request).find("does not fit 64 bits"), std::string::npos);
}

}  // namespace
}  // namespace rastertide
