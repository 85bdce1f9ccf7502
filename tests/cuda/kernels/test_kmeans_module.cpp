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

TEST(KMeansModulePasses, OverTilesThatStay) {
    for (const std::int64_t n_clusters : {6, 5}) {  // other pixels by the same name, after forget()
        expect_none(move_difference<std::uint8_t>(n_clusters, &cuda::AssignTask::narrow_labels, 7));
        rastertide_cuda_module()->forget(session(), 7);
    }
    rastertide_cuda_module()->forget(session(), 7);  // not there any more
}

TEST(KMeansModulePasses, PixelsStayOnTheDevice) {
    KMeansInput input{speckle(3, 20, 70), some_centers(5, 1, 6)};
    const std::vector<std::uint16_t> expected = label_by_module(input, 3).labels;
    std::fill(input.stack.values.begin(), input.stack.values.end(), 0.0F);
    EXPECT_EQ(label_by_module(input, 3).labels, expected);
    rastertide_cuda_module()->forget(session(), 3);
    EXPECT_NE(label_by_module(input, 3).labels, expected);
    rastertide_cuda_module()->forget(session(), 3);
}

TEST(KMeansModuleDistances, AreThoseToTheNearestCenter) {
    for (const int patch : {1, 3, 7, 9}) {
        for (const std::int64_t n_bands : {1, 2}) EXPECT_EQ(n_far_distances(patch, n_bands), 0) << patch;
    }
}

}  // namespace
}  // namespace rastertide::testing_support
