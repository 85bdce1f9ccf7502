// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/reduce/score_histogram.hpp>
#include <rastertide/reduce/score_statistics.hpp>
#include <rastertide/tile/tiling.hpp>

namespace rastertide {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Scores {
    std::int64_t n_dates, n_rows, n_cols;
    std::vector<float> values;

    /// A window of all dates, as a tile would hold it.
    std::vector<float> window(std::int64_t row, std::int64_t col, std::int64_t rows,
                              std::int64_t cols) const {
        std::vector<float> part;
        for (std::int64_t date = 0; date < n_dates; ++date) {
            for (std::int64_t r = row; r < row + rows; ++r) {
                const auto first = values.begin() + (date * n_rows + r) * n_cols + col;
                part.insert(part.end(), first, first + cols);
            }
        }
        return part;
    }
};

Scores random_scores() {
    Scores scores{3, 40, 50, {}};
    std::mt19937 random(5);
    std::lognormal_distribution<float> score(0, 0.2F);
    for (std::int64_t i = 0; i < 3 * 40 * 50; ++i)
        scores.values.push_back(i % 37 == 0 ? kNaN : score(random));
    return scores;
}

TEST(ScoreStatistics, MomentsOfASmallTableAreThoseByHand) {
    ScoreStatistics statistics(2);
    const std::vector<float> scores = {1, 3, kNaN, 5, 2, 2, 2, kNaN};

    statistics.add_tile(scores.data(), 1, 4);

    const auto first = statistics.date(0);
    EXPECT_EQ(first.n, 3);
    EXPECT_DOUBLE_EQ(first.mean, 3);
    EXPECT_DOUBLE_EQ(first.std, std::sqrt(8.0 / 3));
    EXPECT_EQ(first.min, 1);
    EXPECT_EQ(first.max, 5);
    EXPECT_DOUBLE_EQ(statistics.date(1).std, 0);
    EXPECT_DOUBLE_EQ(statistics.total().mean, 2.5);
    EXPECT_EQ(statistics.total().n, 6);
}

TEST(ScoreStatistics, ADateWithoutScoresHasNoMean) {
    ScoreStatistics statistics(1);
    statistics.add_tile(&kNaN, 1, 1);

    EXPECT_EQ(statistics.total().n, 0);
    EXPECT_TRUE(std::isnan(statistics.date(0).mean));
    EXPECT_TRUE(std::isnan(statistics.date(0).max));
}

TEST(ScoreStatistics, TilesThreadsAndOrderChangeNoBit) {
    const Scores scores = random_scores();
    ScoreStatistics whole(3);
    whole.add_tile(scores.values.data(), 40, 50, 1);

    ScoreStatistics pieces(3);
    const std::int64_t tile_rows = 7;
    for (std::int64_t col : {32, 0, 16}) {
        for (std::int64_t row = 0; row < 40; row += tile_rows) {
            const std::int64_t rows = std::min(tile_rows, 40 - row);
            const std::int64_t cols = std::min(kColumnRun, 50 - col) + (col == 32 ? 2 : 0);
            const auto part = scores.window(row, col, rows, cols);
            pieces.add_tile(part.data(), rows, cols, 2);
        }
    }

    EXPECT_EQ(pieces.sums(), whole.sums());
    EXPECT_EQ(pieces.extremes(), whole.extremes());
}

TEST(ScoreStatistics, PartsOfRanksAddUp) {
    const Scores scores = random_scores();
    ScoreStatistics whole(3), upper(3), lower(3);
    whole.add_tile(scores.values.data(), 40, 50);
    upper.add_tile(scores.window(0, 0, 13, 50).data(), 13, 50);
    lower.add_tile(scores.window(13, 0, 27, 50).data(), 27, 50);

    auto sums = upper.sums();
    auto extremes = upper.extremes();
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += lower.sums()[i];
    for (std::size_t i = 0; i < extremes.size(); ++i)
        extremes[i] = std::max(extremes[i], lower.extremes()[i]);
    const auto total = ScoreStatistics::from_parts(sums, extremes).total();

    EXPECT_EQ(total.mean, whole.total().mean);
    EXPECT_EQ(total.std, whole.total().std);
    EXPECT_EQ(total.min, whole.total().min);
    EXPECT_EQ(total.max, whole.total().max);
    EXPECT_THROW(ScoreStatistics::from_parts(sums, {}), InternalError);
}

TEST(ScoreHistogram, FindsEveryOrderStatisticExactly) {
    std::vector<float> values = random_scores().values;
    ScoreHistogram coarse;
    coarse.add(values.data(), static_cast<std::int64_t>(values.size()), 2);
    std::erase_if(values, [](float value) { return std::isnan(value); });
    std::sort(values.begin(), values.end());
    ASSERT_EQ(coarse.total(), static_cast<std::int64_t>(values.size()));

    for (std::int64_t rank = 0; rank < coarse.total(); rank += 97) {
        const auto bin = coarse.find(rank);
        ScoreHistogram fine = ScoreHistogram::fine(bin.bin);
        fine.add(values.data(), static_cast<std::int64_t>(values.size()), 1);
        EXPECT_EQ(ScoreHistogram::value(bin.bin, fine.find(rank - bin.n_before).bin),
                  values[static_cast<std::size_t>(rank)]);
    }
    EXPECT_THROW(coarse.find(coarse.total()), InternalError);
}

}  // namespace
}  // namespace rastertide
