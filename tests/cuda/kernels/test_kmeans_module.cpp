// SPDX-License-Identifier: Apache-2.0
// K-Means of the CUDA module: labels and sums are those of the plain double-precision loops, to the bit.
#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

#include <gtest/gtest.h>

#include "cuda/kernels/module_calls.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

PatchCenters some_centers(int patch_size, std::int64_t n_bands, std::int64_t n_clusters, unsigned seed = 5) {
    PatchCenters centers{patch_size, n_bands, n_clusters, {}};
    std::mt19937 random(seed);
    std::gamma_distribution<double> level(2.0, 1.0);
    std::normal_distribution<double> texture(0.0, 0.3);
    for (std::int64_t k = 0; k < n_clusters; ++k) {
        const double mean = level(random);
        for (std::int64_t i = 0; i < centers.n_features(); ++i)
            centers.values.push_back(mean + texture(random));
    }
    return centers;
}

const FixedPoint kFixed = FixedPoint::for_range(0, 16, FixedPoint::kMostBits);

struct Result {
    std::vector<std::uint16_t> labels;
    PatchSums sums;
};

cuda::AssignTask task_of(const Stack& stack, const PatchCenters& centers) {
    cuda::AssignTask task;
    task.pixels = stack.pixels();
    task.patch_size = centers.patch_size;
    task.n_clusters = centers.n_clusters;
    task.centers = centers.values.data();
    task.fixed = kFixed;
    return task;
}

std::int64_t n_locations(const Stack& stack, int patch) {
    return (stack.n_rows - patch + 1) * (stack.n_cols - patch + 1);
}

Result empty_result(const Stack& stack, const PatchCenters& centers) {
    return {std::vector<std::uint16_t>(
                static_cast<std::size_t>(stack.n_dates * n_locations(stack, centers.patch_size)), 9999),
            PatchSums(centers.n_clusters, centers.n_features())};
}

LabelStack label_stack(Result& result, const Stack& stack, int patch) {
    return {result.labels.data(), n_locations(stack, patch), stack.n_cols - patch + 1};
}

Result assign_by_module(const Stack& stack, const PatchCenters& centers, float level = 0,
                        std::uint64_t tile = 0) {
    Result result = empty_result(stack, centers);
    cuda::AssignTask task = task_of(stack, centers);
    task.level = level;
    task.tile = tile;
    task.labels = label_stack(result, stack, centers.patch_size);
    task.counts = result.sums.state().data();
    task.sums = result.sums.state().data() + centers.n_clusters;
    cuda::Outcome outcome;
    rastertide_cuda_module()->assign(session(), task, outcome);
    expect_ok(outcome);
    return result;
}

Result assign_by_reference(const Stack& stack, const PatchCenters& centers) {
    Result result = empty_result(stack, centers);
    assign_patches(stack.pixels(), centers, kFixed, label_stack(result, stack, centers.patch_size),
                   &result.sums, {Backend::Reference, 1});
    return result;
}

bool same_state(PatchSums a, PatchSums b) { return std::ranges::equal(a.state(), b.state()); }

std::int64_t n_differences(const std::vector<std::uint16_t>& a, const std::vector<std::uint16_t>& b) {
    std::int64_t n = 0;
    for (std::size_t i = 0; i < a.size(); ++i) n += a[i] != b[i] ? 1 : 0;
    return n;
}

void expect_reference(const Stack& stack, const PatchCenters& centers, float level = 0) {
    const Result expected = assign_by_reference(stack, centers);
    const Result found = assign_by_module(stack, centers, level);
    EXPECT_EQ(n_differences(found.labels, expected.labels), 0) << "of " << found.labels.size();
    EXPECT_TRUE(same_state(found.sums, expected.sums));
}

using Size = std::tuple<int, int, int, int>;  // patch, clusters, columns of locations, bands
class KMeansModuleSizes : public testing::TestWithParam<Size> {};

TEST_P(KMeansModuleSizes, AgreeWithTheReference) {
    const auto& [patch, n_clusters, n_cols, n_bands] = GetParam();
    expect_reference(speckle(2, patch + 4, patch + n_cols - 1, n_bands),
                     some_centers(patch, n_bands, n_clusters));
}
INSTANTIATE_TEST_SUITE_P(Clusters, KMeansModuleSizes,
                         testing::Combine(testing::Values(7), testing::Values(1, 2, 5, 6, 10, 16, 300),
                                          testing::Values(40), testing::Values(1)));
INSTANTIATE_TEST_SUITE_P(Patches, KMeansModuleSizes,
                         testing::Combine(testing::Values(1, 3, 5, 7, 9, 31), testing::Values(4),
                                          testing::Values(1, 33, 64, 65, 130), testing::Values(1, 2)));

// Single pixels of many bands go through cuBLAS.
INSTANTIATE_TEST_SUITE_P(Dense, KMeansModuleSizes,
                         testing::Combine(testing::Values(1), testing::Values(1, 7, 300),
                                          testing::Values(33, 130), testing::Values(16, 40)));

TEST(KMeansModule, DensePixelsByALevelAndWithoutSome) {
    Stack stack = speckle(3, 30, 70, 20);
    PatchCenters centers = some_centers(1, 20, 9);
    for (float& value : stack.values) value += 1e4F;
    for (double& value : centers.values) value += 1e4;
    stack.at(1, 10, 10, 3) = kNaN;
    std::copy_n(centers.values.begin(), 20, centers.values.begin() + 20);  // ties
    expect_reference(stack, centers, 1e4F);
    expect_reference(stack, centers, 0);
}

TEST(KMeansModule, NodataHasNoLabel) {
    Stack stack = speckle(5, 30, 75);
    stack.at(1, 10, 10) = kNaN;
    for (float& value : std::span(stack.values).subspan(2 * 30 * 75, 30 * 75)) value = kNaN;
    for (std::int64_t row = 0; row < 30; ++row) stack.at(4, row, row) = kNaN;
    expect_reference(stack, some_centers(7, 1, 6));
}

TEST(KMeansModule, TiesAndFlatGround) {
    Stack stack = speckle(3, 20, 40);
    for (float& value : stack.values) value = std::round(value);
    PatchCenters centers = some_centers(3, 1, 8);
    for (double& value : centers.values) value = std::round(value);
    std::copy_n(centers.values.begin(), 9, centers.values.begin() + 9);  // two equal centres
    expect_reference(stack, centers);
    std::fill(stack.values.begin(), stack.values.end(), 2.0F);
    expect_reference(stack, centers);
}

TEST(KMeansModule, ALargeLevelCostsNoLabel) {
    Stack stack = speckle(2, 20, 40);
    PatchCenters centers = some_centers(7, 1, 6);
    for (float& value : stack.values) value += 1e6F;
    for (double& value : centers.values) value += 1e6;
    expect_reference(stack, centers, 1e6F);
    expect_reference(stack, centers, 0);
}

/// @param tile  as in AssignTask
template <class Label>
void expect_moves(std::int64_t n_clusters, Label* cuda::AssignTask::*memory, std::uint64_t tile = 0) {
    const Stack stack = speckle(3, 20, 70);
    const int patch = 5;
    const std::int64_t n = stack.n_dates * n_locations(stack, patch);
    std::vector<Label> labels(static_cast<std::size_t>(n), 0);
    PatchSums sums(n_clusters, patch * patch);
    std::vector<std::uint16_t> last(static_cast<std::size_t>(n), 0);
    for (const unsigned seed : {5U, 6U, 6U}) {
        const PatchCenters centers = some_centers(patch, 1, n_clusters, seed);
        cuda::AssignTask task = task_of(stack, centers);
        task.*memory = labels.data();
        task.tile = tile;
        task.counts = sums.state().data();
        task.sums = sums.state().data() + n_clusters;
        cuda::Outcome outcome;
        rastertide_cuda_module()->assign(session(), task, outcome);
        expect_ok(outcome);
        const Result expected = assign_by_reference(stack, centers);
        EXPECT_TRUE(std::ranges::equal(labels, expected.labels)) << seed;
        EXPECT_TRUE(same_state(sums, expected.sums)) << seed;
        EXPECT_EQ(task.n_changed, n_differences(last, expected.labels));
        last = expected.labels;
    }
}

TEST(KMeansModule, PassesMoveOnlyWhatChanges) {
    expect_moves<std::uint8_t>(6, &cuda::AssignTask::narrow_labels);
    expect_moves<std::uint16_t>(260, &cuda::AssignTask::wide_labels);
}

TEST(KMeansModule, PixelsStayOnTheDevice) {
    Stack stack = speckle(3, 20, 70);
    const PatchCenters centers = some_centers(5, 1, 6);
    const Result expected = assign_by_module(stack, centers, 0, 3);
    std::fill(stack.values.begin(), stack.values.end(), 0.0F);
    EXPECT_EQ(n_differences(assign_by_module(stack, centers, 0, 3).labels, expected.labels), 0);
    rastertide_cuda_module()->forget(session(), 3);
    EXPECT_GT(n_differences(assign_by_module(stack, centers, 0, 3).labels, expected.labels), 0);
    rastertide_cuda_module()->forget(session(), 3);
}

TEST(KMeansModule, PassesOverTilesThatStay) {
    expect_moves<std::uint8_t>(6, &cuda::AssignTask::narrow_labels, 7);
    rastertide_cuda_module()->forget(session(), 7);
    expect_moves<std::uint8_t>(5, &cuda::AssignTask::narrow_labels, 7);  // other pixels by the same name
    rastertide_cuda_module()->forget(session(), 7);
    rastertide_cuda_module()->forget(session(), 7);  // not there any more
}

TEST(KMeansModule, DistancesToTheNearestCenter) {
    for (const int patch : {1, 3, 7, 9}) {
        for (const std::int64_t n_bands : {1, 2}) {
            Stack stack = speckle(2, patch + 5, patch + 70, n_bands);
            stack.at(1, 3, 3) = kNaN;
            const PatchCenters centers = some_centers(patch, n_bands, 7);
            const std::int64_t n = n_locations(stack, patch), n_cols = stack.n_cols - patch + 1;
            std::vector<float> expected(static_cast<std::size_t>(2 * n)), found(expected.size(), -1);
            patch_distances(stack.pixels(), centers, {expected.data(), n, n_cols}, {Backend::Reference, 1});
            cuda::Outcome outcome;
            rastertide_cuda_module()->distances(session(), task_of(stack, centers), {found.data(), n, n_cols},
                                                outcome);
            expect_ok(outcome);
            for (std::size_t i = 0; i < found.size(); ++i) {
                ASSERT_EQ(std::isnan(found[i]), std::isnan(expected[i])) << i;
                if (!std::isnan(found[i])) {
                    // Centres are rounded to floats, which counts where a patch lies near one.
                    ASSERT_NEAR(found[i], expected[i],
                                2e-6 * expected[i] + 2e-6 * patch * std::sqrt(expected[i]))
                        << i;
                }
            }
        }
    }
}

}  // namespace
}  // namespace rastertide
