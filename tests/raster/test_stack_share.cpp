// SPDX-License-Identifier: Apache-2.0
// The share of a stack on which fits begin: which patches it holds, whatever the tiles.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/read/open_series.hpp>

#include "pipeline/kmeans/stack_share.hpp"
#include "support/rasters.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::Bands;
using testing_support::TempDir;
using testing_support::write_bands;

constexpr int kRows = 60, kCols = 300, kDates = 11, kPatch = 5;
/// Date, row and column of the first pixel.
using PatchPlace = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

class OpenShare : public testing::Test {
  protected:
    OpenShare() {
        // Every pixel says where it is.
        Bands stack{kDates, kRows, kCols, {}};
        for (int i = 0; i < kDates * kRows * kCols; ++i) stack.values.push_back(static_cast<float>(i));
        write_bands(dir_.file("stack.tif"), stack);
        options_.patch_size = kPatch;
    }

    KMeansRun open(std::int64_t tile_n_cols, std::int64_t tile_n_rows) {
        SeriesOptions series;
        series.inputs = {dir_.file("stack.tif")};
        TileRequest request;
        request.n_cols = kCols;
        request.n_rows = kRows;
        request.patch_size = kPatch;
        request.budget_bytes = 1 << 24;
        request.tile_n_cols = tile_n_cols;
        request.tile_n_rows = tile_n_rows;
        return {{options_, *comm_, logger_, open_series(series), make_tiles(request), OutputFolder(""),
                 clock_, own_record_},
                options_};
    }

    /// Of the shares of these tiles, each patch once.
    std::set<PatchPlace> patches_of(KMeansRun& run, std::int64_t step) {
        StackShare share(run, step);
        TilePasses passes(run, run.plan.tiles, 0);
        passes.for_each(
            [&](std::int64_t, const Tile& tile, const float* pixels) { share.add(tile, pixels); });
        std::set<PatchPlace> found;
        std::int64_t n_patches = 0;
        share.for_each([&](std::int64_t place, const PixelStack& piece) {
            n_patches += share.n_patches(place);
            add_patches(piece, found);
        });
        EXPECT_EQ(static_cast<std::int64_t>(found.size()), n_patches);
        return found;
    }

    TempDir dir_;
    RunKMeansOptions options_;
    std::unique_ptr<Communicator> comm_ = make_serial_communicator();
    Logger logger_;
    StageClock clock_;
    std::string own_record_;

  private:
    static void add_patches(const PixelStack& piece, std::set<PatchPlace>& found) {
        for (std::int64_t block = 0; block < piece.n_dates; ++block) {
            const float* pixels = piece.data + block * piece.n_rows * piece.n_cols;
            for (std::int64_t row = 0; row + kPatch <= piece.n_rows; ++row) {
                for (std::int64_t col = 0; col + kPatch <= piece.n_cols; ++col) {
                    const float* patch = pixels + row * piece.n_cols + col;
                    EXPECT_TRUE(is_patch(patch, piece.n_cols));
                    const auto at = static_cast<std::int64_t>(*patch);
                    found.emplace(at / (kRows * kCols), at / kCols % kRows, at % kCols);
                }
            }
        }
    }
    static bool is_patch(const float* first, std::int64_t n_cols) {
        for (int y = 0; y < kPatch; ++y) {
            for (int x = 0; x < kPatch; ++x) {
                if (first[y * n_cols + x] != *first + static_cast<float>(y * kCols + x)) return false;
            }
        }
        return true;
    }
};

class StackShareOf : public OpenShare, public testing::WithParamInterface<int> {};

TEST_P(StackShareOf, HasEveryNthDateOfEachBlock) {
    KMeansRun run = open(kCols, kRows);
    const std::set<PatchPlace> patches = patches_of(run, GetParam());
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::int64_t>> dates;  // by location
    for (const auto& [date, row, col] : patches) dates[{row, col}].push_back(date);
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::int64_t>> of_block;
    for (std::int64_t row = 0; row + kPatch <= kRows; ++row) {
        for (std::int64_t col = 0; col + kPatch <= kCols; ++col) {
            const std::vector<std::int64_t>& found = dates[{row, col}];
            for (std::size_t i = 1; i < found.size(); ++i) EXPECT_EQ(found[i] - found[i - 1], GetParam());
            if (!found.empty()) {
                EXPECT_LT(found.front(), GetParam());
                EXPECT_GE(found.back() + GetParam(), kDates);
            }
            // Blocks are of locations: the centres of patches.
            const auto block = std::pair((row + kPatch / 2) / 16, (col + kPatch / 2) / 128);
            EXPECT_EQ(of_block.try_emplace(block, found).first->second, found) << row << ", " << col;
        }
    }
    std::set<std::vector<std::int64_t>> different;
    for (const auto& [block, found] : of_block) different.insert(found);
    EXPECT_EQ(different.size() > 1, GetParam() > 1);
}

TEST_P(StackShareOf, IsTheSameWhateverTheTiles) {
    KMeansRun whole = open(kCols, kRows);
    const std::set<PatchPlace> expected = patches_of(whole, GetParam());
    for (const auto& [n_cols, n_rows] : {std::pair(16, 7), std::pair(144, 60), std::pair(300, 16)}) {
        KMeansRun tiles = open(n_cols, n_rows);
        EXPECT_TRUE(patches_of(tiles, GetParam()) == expected) << n_cols << " x " << n_rows;
    }
}

INSTANTIATE_TEST_SUITE_P(Steps, StackShareOf, testing::Values(1, 3, 16));

/// Bands of a date stay together: with every date, all values of the stack in their order.
TEST_F(OpenShare, HoldsAllBandsOfADate) {
    SeriesOptions series;
    series.bands = {1, 2};
    for (int date = 0; date < 3; ++date) {
        Bands scene{2, 20, 40, {}};
        for (int i = 0; i < 2 * 20 * 40; ++i) scene.values.push_back(static_cast<float>(date * 10000 + i));
        series.inputs.push_back(dir_.file("two_2020010" + std::to_string(1 + date) + ".tif"));
        write_bands(series.inputs.back(), scene);
    }
    TileRequest request;
    request.n_cols = 40;
    request.n_rows = 20;
    request.patch_size = kPatch;
    request.budget_bytes = 1 << 24;
    KMeansRun run{{options_, *comm_, logger_, open_series(series), make_tiles(request), OutputFolder(""),
                   clock_, own_record_},
                  options_};
    ASSERT_EQ(run.series.n_bands(), 2);
    StackShare share(run, 1);
    TilePasses passes(run, run.plan.tiles, 0);
    passes.for_each([&](std::int64_t, const Tile& tile, const float* pixels) { share.add(tile, pixels); });
    std::int64_t n_values = 0;
    share.for_each([&](std::int64_t, const PixelStack& piece) {
        EXPECT_EQ(piece.n_bands, 2);
        for (std::int64_t block = 0; block < piece.n_dates; ++block) {
            const float* values = piece.data + block * 2 * piece.n_rows * piece.n_cols;
            const float first = values[0];
            for (std::int64_t band = 0; band < 2; ++band) {
                for (std::int64_t row = 0; row < piece.n_rows; ++row) {
                    for (std::int64_t col = 0; col < piece.n_cols; ++col, ++values, ++n_values)
                        EXPECT_EQ(*values, first + static_cast<float>((band * 20 + row) * 40 + col));
                }
            }
        }
    });
    EXPECT_EQ(n_values * std::int64_t{sizeof(float)}, share.bytes());
    EXPECT_GE(n_values, 3 * 2 * 20 * 40);
}

TEST_F(OpenShare, AnotherSeedHasOtherDates) {
    KMeansRun run = open(kCols, kRows);
    const std::set<PatchPlace> one = patches_of(run, 4);
    options_.seed = 1;
    KMeansRun other = open(kCols, kRows);
    EXPECT_FALSE(patches_of(other, 4) == one);
}

TEST_F(OpenShare, IsEmptyWithoutAStep) {
    KMeansRun run = open(kCols, kRows);
    EXPECT_TRUE(patches_of(run, 0).empty());
}

TEST(ShareStep, IsOfLargeStacksAloneAndBoundsTheShare) {
    RunKMeansOptions options;
    options.patch_size = 7;
    EXPECT_EQ(share_step(options, 1, (1 << 24) - 1), 0);
    EXPECT_EQ(share_step(options, 1, 1 << 24), 16);
    EXPECT_EQ(share_step(options, 1, std::int64_t{1} << 29), 16);
    EXPECT_EQ(share_step(options, 1, std::int64_t{1} << 34), 512);
    EXPECT_EQ(share_step(options, 2, std::int64_t{1} << 34), 1024);
}

TEST(ShareStep, IsNoneWhereTheStartIsAskedFor) {
    for (const KMeansInit init :
         {KMeansInit::Random, KMeansInit::KMeansPlusPlus, KMeansInit::KMeansParallel, KMeansInit::File}) {
        RunKMeansOptions options;
        options.init = init;
        EXPECT_EQ(share_step(options, 1, 1 << 30), 0);
    }
    for (const KMeansAlgorithm algorithm : {KMeansAlgorithm::BatchParallel, KMeansAlgorithm::MiniBatch}) {
        RunKMeansOptions options;
        options.algorithm = algorithm;
        EXPECT_EQ(share_step(options, 1, 1 << 30), 0);
    }
    RunKMeansOptions time;
    time.time_features = true;
    EXPECT_EQ(share_step(time, 1, 1 << 30), 0);
}

/// What is planned holds what is kept, with the halos of blocks that tiles cut.
TEST_F(OpenShare, TakesNoMoreThanIsPlanned) {
    options_.patch_size = kPatch;
    const std::int64_t n = std::int64_t{1} << 26;
    const double patches = static_cast<double>(n) / static_cast<double>(share_step(options_, 1, n));
    for (const auto& [n_cols, n_rows] : {std::pair(144, 60), std::pair(300, 32), std::pair(16, 7)}) {
        options_.tile_n_cols = n_cols;
        options_.tile_n_rows = n_rows;
        const std::int64_t planned = share_bytes(options_, 1, n);
        KMeansRun run = open(n_cols, n_rows);
        StackShare share(run, 1);
        TilePasses passes(run, run.plan.tiles, 0);
        passes.for_each(
            [&](std::int64_t, const Tile& tile, const float* pixels) { share.add(tile, pixels); });
        double kept = 0;
        for (std::int64_t place = 0; place < share.n_pieces(); ++place)
            kept += static_cast<double>(share.n_patches(place));
        EXPECT_LE(patches * (static_cast<double>(share.bytes()) / kept + 4), static_cast<double>(planned))
            << n_cols << " x " << n_rows;
    }
    EXPECT_EQ(share_bytes(options_, 1, 1000), 0);
    options_.model_file = "centers.json";
    EXPECT_EQ(share_bytes(options_, 1, n), 0);
}

}  // namespace
}  // namespace rastertide
