// SPDX-License-Identifier: Apache-2.0
// Passes over a rank's tiles: every tile once a pass, in order, with its pixels, whatever stays in memory.
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/read/open_series.hpp>

#include "pipeline/kmeans/tile_passes.hpp"
#include "support/rasters.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::Bands;
using testing_support::TempDir;
using testing_support::write_bands;

constexpr int kRows = 50, kCols = 40, kDates = 3, kPatch = 5;

class OpenPasses : public testing::Test {
  protected:
    OpenPasses() {
        Bands stack{kDates, kRows, kCols, {}};
        for (int i = 0; i < kDates * kRows * kCols; ++i) stack.values.push_back(static_cast<float>(i));
        write_bands(dir_.file("stack.tif"), stack);
    }

    StackRun open() {
        SeriesOptions series;
        series.inputs = {dir_.file("stack.tif")};
        TileRequest request;
        request.n_cols = kCols;
        request.n_rows = kRows;
        request.patch_size = kPatch;
        request.budget_bytes = 1 << 20;
        request.tile_n_cols = 16;
        request.tile_n_rows = 9;
        return {options_,         *comm_, logger_, open_series(series), make_tiles(request),
                OutputFolder(""), clock_};
    }

    static bool holds_pixels_of(const Tile& tile, const float* pixels) {
        for (std::int64_t date = 0; date < kDates; ++date) {
            for (std::int64_t row = 0; row < tile.source.n_rows; ++row) {
                for (std::int64_t col = 0; col < tile.source.n_cols; ++col, ++pixels) {
                    const std::int64_t at =
                        (date * kRows + tile.source.row + row) * kCols + tile.source.col + col;
                    if (*pixels != static_cast<float>(at)) return false;
                }
            }
        }
        return true;
    }

    TempDir dir_;
    RunOptions options_;
    std::unique_ptr<Communicator> comm_ = make_serial_communicator();
    Logger logger_;
    StageClock clock_;
};

class TilePassesOf : public OpenPasses, public testing::WithParamInterface<double> {};

TEST_P(TilePassesOf, GiveEveryTileItsPixelsInEveryPass) {
    StackRun run = open();
    const auto all_bytes = static_cast<double>(run.plan.tiles.size()) *
                           static_cast<double>(run.max_source_values() * std::int64_t{sizeof(float)});
    TilePasses passes(run, run.plan.tiles, static_cast<std::int64_t>(GetParam() * all_bytes));
    for (int pass = 0; pass < 3; ++pass) {
        std::int64_t expected_place = 0;
        passes.for_each([&](std::int64_t place, const Tile& tile, const float* pixels) {
            EXPECT_EQ(place, expected_place++);
            EXPECT_EQ(tile.source, passes.tile(place).source);
            EXPECT_TRUE(holds_pixels_of(tile, pixels)) << "pass " << pass << ", tile " << place;
        });
        EXPECT_EQ(expected_place, passes.n_tiles());
    }
}

INSTANTIATE_TEST_SUITE_P(ShareThatStays, TilePassesOf, testing::Values(0, 0.1, 0.5, 1));

TEST_F(OpenPasses, ReadOnceWhatStays) {
    StackRun run = open();
    TilePasses passes(run, run.plan.tiles, 1 << 30);
    const auto read_bytes = [&] { return clock_.reduce(*comm_).front().bytes; };
    passes.for_each([](std::int64_t, const Tile&, const float*) {});
    const std::int64_t once = read_bytes();
    passes.for_each([](std::int64_t, const Tile&, const float*) {});
    EXPECT_EQ(read_bytes(), once);
    EXPECT_GT(once, 0);
    EXPECT_LT(passes.free_bytes(), 1 << 30);
}

TEST_F(OpenPasses, AFailedReadOrVisitEndsThePass) {
    StackRun run = open();
    TilePasses passes(run, run.plan.tiles, 0);
    EXPECT_THROW(passes.for_each([](std::int64_t place, const Tile&, const float*) {
        if (place == 2) throw std::runtime_error("visit");
    }),
                 std::runtime_error);
    int n_visits = 0;
    passes.for_each([&](std::int64_t, const Tile& tile, const float* pixels) {
        ++n_visits;
        EXPECT_TRUE(holds_pixels_of(tile, pixels));
    });
    EXPECT_EQ(n_visits, passes.n_tiles());
}

TEST(TilesOfRank, AreEverySizethAndAllTogetherThePlan) {
    TilePlan plan;
    for (std::int64_t i = 0; i < 7; ++i) {
        Tile tile;
        tile.tile_col = i;
        plan.tiles.push_back(tile);
    }
    std::vector<int> owners(7, 0);
    for (int rank = 0; rank < 3; ++rank) {
        for (const Tile& tile : tiles_of_rank(plan, rank, 3)) {
            EXPECT_EQ(tile.tile_col % 3, rank);
            ++owners[static_cast<std::size_t>(tile.tile_col)];
        }
    }
    EXPECT_EQ(owners, std::vector<int>(7, 1));
}

}  // namespace
}  // namespace rastertide
