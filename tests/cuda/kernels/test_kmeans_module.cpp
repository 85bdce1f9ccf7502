// SPDX-License-Identifier: Apache-2.0
// K-Means of the CUDA module: labels and sums are those of the plain double-precision loops, to the bit.
#include <ostream>

#include <gtest/gtest.h>

#include "cuda/kernels/kmeans_cases.hpp"

namespace rastertide::testing_support {

void PrintTo(const KMeansCase& test, std::ostream* out) { *out << test.name; }

namespace {

class KMeansModule : public testing::TestWithParam<KMeansCase> {};

TEST_P(KMeansModule, AgreesWithTheReference) {
    const KMeansDifference difference = kmeans_difference(GetParam());
    EXPECT_EQ(difference.n_labels, 0);
    EXPECT_EQ(difference.n_sums, 0);
}
INSTANTIATE_TEST_SUITE_P(Cases, KMeansModule, testing::ValuesIn(kmeans_cases()),
                         [](const auto& test) { return test.param.name; });

void expect_none(const KMeansDifference& difference) {
    EXPECT_EQ(difference.n_labels, 0);
    EXPECT_EQ(difference.n_sums, 0);
    EXPECT_EQ(difference.n_changed, 0);
}

TEST(KMeansModulePasses, MoveOnlyWhatChanges) {
    expect_none(move_difference<std::uint8_t>(6, &cuda::AssignTask::narrow_labels));
    expect_none(move_difference<std::uint16_t>(260, &cuda::AssignTask::wide_labels));
}

TEST(KMeansModuleDistances, AreThoseToTheNearestCenter) {
    for (const int patch : {1, 3, 7, 9}) {
        for (const std::int64_t n_bands : {1, 2}) EXPECT_EQ(n_far_distances(patch, n_bands), 0) << patch;
    }
}

}  // namespace
}  // namespace rastertide::testing_support
