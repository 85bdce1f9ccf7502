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
INSTANTIATE_TEST_SUITE_P(Dates, LofModuleSizes,
                         testing::Combine(testing::Values(2, 3, 31, 32, 33, 64, 65, 130), testing::Values(3),
                                          testing::Values(1, 2, 10, 16, 17, 64)));
INSTANTIATE_TEST_SUITE_P(Patches, LofModuleSizes,
                         testing::Combine(testing::Values(37), testing::Values(1, 3, 5, 7, 9, 31),
                                          testing::Values(10)));

TEST(LofModule, LocationsBeyondOneBlock) { expect_reference(speckle(12, 70, 75), {7, 5}, 2); }

}  // namespace
}  // namespace rastertide
