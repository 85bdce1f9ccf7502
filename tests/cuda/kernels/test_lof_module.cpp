// SPDX-License-Identifier: Apache-2.0
// LOF of the CUDA module against the plain double-precision loops, and what must change no bit.
#include <cmath>
#include <cstring>
#include <tuple>

#include <gtest/gtest.h>

#include "cuda/kernels/module_calls.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Scores agree to 1e-6, nodata agrees exactly. Near-ties may take another neighbour.
void expect_reference(const Stack& stack, const LofParams& params, double n_near_ties = 0) {
    const std::vector<float> expected = reference_scores(stack, params);
    const std::vector<float> found = module_scores(stack, params);
    double n_far = 0, worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(std::isnan(found[i]), std::isnan(expected[i])) << "score " << i;
        if (std::isnan(expected[i])) continue;
        const double error = std::abs(found[i] / expected[i] - 1);
        worst = std::max(worst, error);
        if (error > 1e-6) ++n_far;
    }
    EXPECT_LE(n_far, n_near_ties) << "of " << expected.size() << ", worst " << worst;
}

using Size = std::tuple<int, int, int>;  // dates, patch, neighbors
class LofModuleSizes : public testing::TestWithParam<Size> {};

TEST_P(LofModuleSizes, AgreeWithTheReference) {
    const auto& [n_dates, patch, neighbors] = GetParam();
    expect_reference(speckle(n_dates, patch + 4, patch + 9), {patch, std::min(neighbors, n_dates - 1)});
}
// Tails of groups, of dates that go through together, of blocks' pairs of dates; k = n - 1.
INSTANTIATE_TEST_SUITE_P(Dates, LofModuleSizes,
                         testing::Combine(testing::Values(2, 3, 31, 32, 33, 65), testing::Values(3),
                                          testing::Values(1, 10)));
INSTANTIATE_TEST_SUITE_P(Neighbors, LofModuleSizes,
                         testing::Values(Size{5, 3, 2}, Size{40, 1, 15}, Size{40, 1, 16}, Size{40, 1, 17},
                                         Size{40, 3, 39}, Size{66, 1, 64}));
INSTANTIATE_TEST_SUITE_P(Patches, LofModuleSizes,
                         testing::Combine(testing::Values(37), testing::Values(1, 3, 5, 7, 9, 31),
                                          testing::Values(10)));

TEST(LofModule, LocationsBeyondOneBlock) { expect_reference(speckle(12, 70, 75), {7, 5}, 2); }

TEST(LofModule, SeveralBandsAreOnePatch) {
    expect_reference(speckle(20, 11, 12, 2), {7, 10});
    expect_reference(speckle(20, 13, 14, 3), {9, 5});
}

TEST(LofModule, InvalidPixelsTakeTheirDatesOut) {
    Stack stack = speckle(40, 16, 20);
    stack.at(3, 10, 10) = kNaN;
    for (std::int64_t row = 0; row < 16; ++row) stack.at(20, row, row) = kNaN;
    for (std::int64_t date = 0; date < 38; ++date) stack.at(date, 15, 19) = kNaN;  // two dates are left
    for (std::int64_t row = 0; row < 16; ++row) {
        for (std::int64_t col = 0; col < 20; ++col) stack.at(30, row, col) = kNaN;
    }
    expect_reference(stack, {5, 10});
    expect_reference(stack, {5, 1});
    std::fill(stack.values.begin(), stack.values.end(), kNaN);
    expect_reference(stack, {5, 10});
}

TEST(LofModule, FewValidDatesHaveFewerNeighbors) {
    Stack stack = speckle(20, 9, 9);
    for (std::int64_t date = 0; date < 14; ++date) stack.at(date, 4, 4) = kNaN;
    expect_reference(stack, {9, 10});
}

TEST(LofModule, DuplicatesScoreOne) {
    Stack stack{60, 1, 7, 7, std::vector<float>(60 * 49, 3.5F)};
    for (const float value : module_scores(stack, {3, 10})) ASSERT_EQ(value, 1);
}

TEST(LofModule, TiesGoToTheEarlierDate) {
    // Few values: many equal distances, whose sums are exact, and full lists of candidates.
    Stack stack = speckle(70, 6, 8);
    for (float& value : stack.values) value = std::round(value * 2);
    for (const int neighbors : {3, 20}) expect_reference(stack, {1, neighbors});
}

TEST(LofModule, DatesThatDrift) {
    // Nearest in time are nearest: groups of dates must not be neighbours in time.
    Stack stack = speckle(100, 8, 8);
    for (std::int64_t date = 0; date < 100; ++date) {
        for (std::int64_t i = 0; i < 64; ++i)
            stack.at(date, i / 8, i % 8) = stack.at(date, i / 8, i % 8) * 0.01F + static_cast<float>(date);
    }
    expect_reference(stack, {3, 10});
}

TEST(LofModule, ALargeOffsetCostsNoDigits) {
    Stack stack = speckle(30, 9, 9);
    for (float& value : stack.values) value = std::round(value * 1024) / 1024 + 1000;
    expect_reference(stack, {7, 10});
}

TEST(LofModule, TheSameBytesHoweverItIsCut) {
    Stack stack = speckle(34, 75, 50);
    stack.at(5, 40, 20) = kNaN;
    const LofParams params{7, 10};
    const std::vector<float> whole = module_scores(stack, params);
    EXPECT_TRUE(same_bytes(whole, module_scores(stack, params)));
    const std::int64_t row = 13, col = 7, n_rows = 56, n_cols = 35;
    const std::vector<float> part = module_scores(stack.part(row, col, n_rows + 6, n_cols + 6), params);
    std::size_t n_others = 0, i = 0;
    for (std::int64_t date = 0; date < 34; ++date) {
        for (std::int64_t y = row; y < row + n_rows; ++y) {
            for (std::int64_t x = col; x < col + n_cols; ++x, ++i) {
                const float other = whole[static_cast<std::size_t>((date * 69 + y) * 44 + x)];
                n_others += std::memcmp(&other, &part[i], sizeof(float)) != 0 ? 1 : 0;
            }
        }
    }
    EXPECT_EQ(n_others, 0);
}

}  // namespace
}  // namespace rastertide
