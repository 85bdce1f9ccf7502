// SPDX-License-Identifier: Apache-2.0
// LOF of the CUDA module against the plain double-precision loops, and what must change no bit.
#include <ostream>

#include <gtest/gtest.h>

#include "cuda/kernels/lof_cases.hpp"

namespace rastertide::testing_support {

void PrintTo(const LofCase& test, std::ostream* out) { *out << test.name; }

namespace {

class LofModule : public testing::TestWithParam<LofCase> {};

TEST_P(LofModule, AgreesWithTheReference) {
    const LofDifference difference = lof_difference(GetParam());
    EXPECT_EQ(difference.n_nodata, 0);
    EXPECT_LE(difference.n_far, GetParam().n_near_ties)
        << "of " << difference.n_scores << ", worst " << difference.worst;
}
INSTANTIATE_TEST_SUITE_P(Cases, LofModule, testing::ValuesIn(lof_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(LofModuleScores, OfDuplicatesAreExactlyOne) {
    for (const float value : module_scores(stack_of_one_value(60, 7, 7, 3.5F), {3, 10})) ASSERT_EQ(value, 1);
}

TEST(LofModuleBytes, AreTheSameHoweverItIsCut) {
    const CutDifference difference = lof_cut_difference();
    EXPECT_EQ(difference.n_again, 0);
    EXPECT_EQ(difference.n_in_part, 0);
}

}  // namespace
}  // namespace rastertide::testing_support
