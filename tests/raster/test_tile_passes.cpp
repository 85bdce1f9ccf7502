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
                OutputFolder(""), clock_, own_record_};
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
    std::string own_record_;
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

TilePlan plan_of(const std::vector<std::int64_t>& widths) {
    TilePlan plan;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        Tile tile;
        tile.tile_col = static_cast<std::int64_t>(i);
        tile.source = {0, 0, widths[i], widths[i] == 0 ? 0 : 10};
        plan.tiles.push_back(tile);
    }
    return plan;
}

TEST(TilesOfRank, AreAllTogetherThePlan) {
    const TilePlan plan = plan_of({5, 9, 0, 9, 2, 9, 0, 4});
    for (const int size : {1, 2, 3, 20}) {
        std::vector<int> owners(plan.tiles.size(), 0);
        for (int rank = 0; rank < size; ++rank) {
            std::int64_t last = -1;
            for (const Tile& tile : tiles_of_rank(plan, rank, size)) {
                EXPECT_GT(tile.tile_col, last);
                last = tile.tile_col;
                ++owners[static_cast<std::size_t>(tile.tile_col)];
            }
        }
        EXPECT_EQ(owners, std::vector<int>(plan.tiles.size(), 1)) << size << " ranks";
    }
}

TEST(TilesOfRank, AreAsMuchForEachRank) {
    // Every other tile is the narrower one of its row.
    const TilePlan plan = plan_of({256, 232, 256, 232, 256, 232, 256, 232});
    for (int rank = 0; rank < 2; ++rank) {
        std::int64_t n_cols = 0;
        for (const Tile& tile : tiles_of_rank(plan, rank, 2)) n_cols += tile.source.n_cols;
        EXPECT_EQ(n_cols, 4 * (256 + 232) / 2);
    }
}

}  // namespace
}  // namespace rastertide
