// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/compute/anomaly.hpp>

namespace rastertide {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Result {
    std::vector<std::uint8_t> mask;
    std::vector<std::uint16_t> count;
    std::vector<float> max_score;
    std::vector<std::uint16_t> max_date;
    std::vector<std::int64_t> date_counts;
};

Result anomalies_of(const std::vector<float>& scores, std::int64_t n_dates, double threshold,
                    int n_threads = 1) {
    const std::size_t n_pixels = scores.size() / static_cast<std::size_t>(n_dates);
    Result result{std::vector<std::uint8_t>(scores.size()), std::vector<std::uint16_t>(n_pixels),
                  std::vector<float>(n_pixels), std::vector<std::uint16_t>(n_pixels),
                  std::vector<std::int64_t>(static_cast<std::size_t>(n_dates), 0)};
    find_anomalies(scores.data(), n_dates, static_cast<std::int64_t>(n_pixels), threshold,
                   {result.mask.data(), result.count.data(), result.max_score.data(), result.max_date.data(),
                    result.date_counts.data()},
                   n_threads);
    return result;
}

TEST(FindAnomalies, MarksCountsAndMaximaOfASmallTable) {
    const Result result = anomalies_of({1, 2, kNaN,   // first date
                                        3, 2, kNaN,   // second
                                        3, 1, kNaN},  // third
                                       3, 2);

    EXPECT_EQ(result.mask, (std::vector<std::uint8_t>{0, 0, 255, 1, 0, 255, 1, 0, 255}));
    EXPECT_EQ(result.count, (std::vector<std::uint16_t>{2, 0, 65535}));
    EXPECT_EQ(result.max_score[0], 3);
    EXPECT_EQ(result.max_score[1], 2);
    EXPECT_TRUE(std::isnan(result.max_score[2]));
    EXPECT_EQ(result.max_date, (std::vector<std::uint16_t>{2, 1, 0})) << "the earliest of equal maxima";
    EXPECT_EQ(result.date_counts, (std::vector<std::int64_t>{0, 1, 1}));
}

TEST(FindAnomalies, NothingIsAboveAThresholdThatIsNaN) {
    const Result result = anomalies_of({1, 5}, 2, std::numeric_limits<double>::quiet_NaN());

    EXPECT_EQ(result.mask, (std::vector<std::uint8_t>{0, 0}));
}

TEST(FindAnomalies, ThreadsChangeNothing) {
    std::vector<float> scores;
    for (int i = 0; i < 3 * 5000; ++i) scores.push_back(i % 11 == 0 ? kNaN : static_cast<float>(i % 7));
    const Result one = anomalies_of(scores, 3, 4, 1);
    const Result two = anomalies_of(scores, 3, 4, 2);

    EXPECT_EQ(one.mask, two.mask);
    EXPECT_EQ(one.count, two.count);
    EXPECT_EQ(one.max_date, two.max_date);
    EXPECT_EQ(one.date_counts, two.date_counts);
}

}  // namespace
}  // namespace rastertide
