// SPDX-License-Identifier: Apache-2.0
// What K-Means of the CUDA module is tested with: for GoogleTest, and for the program of
// tests/cuda/on_device.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cuda/kernels/module_calls.hpp"

namespace rastertide::testing_support {

inline PatchCenters some_centers(int patch_size, std::int64_t n_bands, std::int64_t n_clusters,
                                 unsigned seed = 5) {
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

struct KMeansInput {
    Stack stack;
    PatchCenters centers;
    float level = 0;
};

struct KMeansCase {
    std::string name;  ///< of letters, digits and _
    std::function<KMeansInput()> input;
};

inline KMeansCase kmeans_size_case(const std::string& what, int patch, int n_clusters, int n_cols,
                                   int n_bands) {
    std::string name = what;
    for (const int size : {patch, n_clusters, n_cols, n_bands}) name += "_" + std::to_string(size);
    return {name, [=] {
                return KMeansInput{speckle(2, patch + 4, patch + n_cols - 1, n_bands),
                                   some_centers(patch, n_bands, n_clusters)};
            }};
}

inline std::vector<KMeansCase> kmeans_size_cases() {
    std::vector<KMeansCase> cases;
    for (const int n_clusters : {1, 2, 5, 6, 10, 16, 300})
        cases.push_back(kmeans_size_case("Clusters", 7, n_clusters, 40, 1));
    for (const int patch : {1, 3, 5, 7, 9, 31}) {
        for (const int n_cols : {1, 33, 64, 65, 130}) {
            for (const int n_bands : {1, 2})
                cases.push_back(kmeans_size_case("Patches", patch, 4, n_cols, n_bands));
        }
    }
    // Single pixels of many bands go through cuBLAS.
    for (const int n_clusters : {1, 7, 300}) {
        for (const int n_cols : {33, 130}) {
            for (const int n_bands : {16, 40})
                cases.push_back(kmeans_size_case("Dense", 1, n_clusters, n_cols, n_bands));
        }
    }
    return cases;
}

/// Single pixels of many bands, by a level, without one of them, and two equal centres.
inline KMeansInput input_of_dense_pixels(float level) {
    KMeansInput input{speckle(3, 30, 70, 20), some_centers(1, 20, 9), level};
    for (float& value : input.stack.values) value += 1e4F;
    for (double& value : input.centers.values) value += 1e4;
    input.stack.at(1, 10, 10, 3) = kNaN;
    std::copy_n(input.centers.values.begin(), 20, input.centers.values.begin() + 20);
    return input;
}

inline KMeansInput input_with_nodata() {
    KMeansInput input{speckle(5, 30, 75), some_centers(7, 1, 6)};
    input.stack.at(1, 10, 10) = kNaN;
    for (float& value : std::span(input.stack.values).subspan(2 * 30 * 75, 30 * 75)) value = kNaN;
    for (std::int64_t row = 0; row < 30; ++row) input.stack.at(4, row, row) = kNaN;
    return input;
}

/// Two equal centres among others, and few values.
inline KMeansInput input_with_ties() {
    KMeansInput input{speckle(3, 20, 40), some_centers(3, 1, 8)};
    for (float& value : input.stack.values) value = std::round(value);
    for (double& value : input.centers.values) value = std::round(value);
    std::copy_n(input.centers.values.begin(), 9, input.centers.values.begin() + 9);
    return input;
}

inline KMeansInput input_of_flat_ground() {
    KMeansInput input = input_with_ties();
    std::fill(input.stack.values.begin(), input.stack.values.end(), 2.0F);
    return input;
}

inline KMeansInput input_at_a_large_level(float level) {
    KMeansInput input{speckle(2, 20, 40), some_centers(7, 1, 6), level};
    for (float& value : input.stack.values) value += 1e6F;
    for (double& value : input.centers.values) value += 1e6;
    return input;
}

inline std::vector<KMeansCase> kmeans_cases() {
    std::vector<KMeansCase> cases = kmeans_size_cases();
    cases.push_back({"NodataHasNoLabel", input_with_nodata});
    cases.push_back({"Ties", input_with_ties});
    cases.push_back({"FlatGround", input_of_flat_ground});
    cases.push_back({"DensePixels", [] { return input_of_dense_pixels(0); }});
    cases.push_back({"DensePixelsByALevel", [] { return input_of_dense_pixels(1e4F); }});
    cases.push_back({"ALargeLevelCostsNoLabel", [] { return input_at_a_large_level(1e6F); }});
    cases.push_back({"ALevelThatIsNotTaken", [] { return input_at_a_large_level(0); }});
    return cases;
}

inline const FixedPoint kFixed = FixedPoint::for_range(0, 16, FixedPoint::kMostBits);

struct Labelled {
    std::vector<std::uint16_t> labels;
    PatchSums sums;
};

inline std::int64_t n_locations(const Stack& stack, int patch) {
    return (stack.n_rows - patch + 1) * (stack.n_cols - patch + 1);
}

inline cuda::AssignTask task_of(const Stack& stack, const PatchCenters& centers) {
    cuda::AssignTask task;
    task.pixels = stack.pixels();
    task.patch_size = centers.patch_size;
    task.n_clusters = centers.n_clusters;
    task.centers = centers.values.data();
    task.fixed = kFixed;
    return task;
}

inline void want_sums(cuda::AssignTask& task, PatchSums& sums) {
    task.counts = sums.state().data();
    task.sums = sums.state().data() + task.n_clusters;
}

inline Labelled not_labelled(const Stack& stack, const PatchCenters& centers) {
    const std::int64_t n = stack.n_dates * n_locations(stack, centers.patch_size);
    return {std::vector<std::uint16_t>(static_cast<std::size_t>(n), 9999),
            PatchSums(centers.n_clusters, centers.n_features())};
}

inline LabelStack label_stack(Labelled& result, const Stack& stack, int patch) {
    return {result.labels.data(), n_locations(stack, patch), stack.n_cols - patch + 1};
}

/// @param tile  as in AssignTask
inline Labelled label_by_module(const KMeansInput& input, std::uint64_t tile = 0) {
    Labelled result = not_labelled(input.stack, input.centers);
    cuda::AssignTask task = task_of(input.stack, input.centers);
    task.level = input.level;
    task.tile = tile;
    task.labels = label_stack(result, input.stack, input.centers.patch_size);
    want_sums(task, result.sums);
    cuda::Outcome outcome;
    rastertide_cuda_module()->assign(session(), task, outcome);
    expect_ok(outcome);
    return result;
}

inline Labelled label_by_reference(const Stack& stack, const PatchCenters& centers) {
    Labelled result = not_labelled(stack, centers);
    reference::assign_patches(stack.pixels(), centers, kFixed, label_stack(result, stack, centers.patch_size),
                              &result.sums, 1);
    return result;
}

/// Of the module's labels and sums and the reference's: none is allowed.
struct KMeansDifference {
    std::int64_t n_labels = 0, n_sums = 0;
    std::int64_t n_changed = 0;  ///< by how much the count of changed labels is wrong
};

template <class A, class B>
std::int64_t n_others(const A& a, const B& b) {
    std::int64_t n = std::size(a) == std::size(b) ? 0 : 1;
    for (std::size_t i = 0; i < std::min(std::size(a), std::size(b)); ++i) n += a[i] != b[i] ? 1 : 0;
    return n;
}

inline KMeansDifference kmeans_difference(const KMeansCase& test) {
    const KMeansInput input = test.input();
    Labelled expected = label_by_reference(input.stack, input.centers);
    Labelled found = label_by_module(input);
    return {n_others(found.labels, expected.labels), n_others(found.sums.state(), expected.sums.state()), 0};
}

/// Three passes that remember labels, the third with the centres of the second.
/// @param memory  narrow_labels or wide_labels
/// @param tile    as in AssignTask
template <class Label>
KMeansDifference move_difference(std::int64_t n_clusters, Label* cuda::AssignTask::*memory,
                                 std::uint64_t tile = 0) {
    const int patch = 5;
    const Stack stack = speckle(3, 20, 70);
    std::vector<Label> labels(static_cast<std::size_t>(stack.n_dates * n_locations(stack, patch)), 0);
    std::vector<std::uint16_t> last(labels.size(), 0);
    PatchSums sums(n_clusters, patch * patch);
    KMeansDifference difference;
    for (const unsigned seed : {5U, 6U, 6U}) {
        const PatchCenters centers = some_centers(patch, 1, n_clusters, seed);
        cuda::AssignTask task = task_of(stack, centers);
        task.*memory = labels.data();
        task.tile = tile;
        want_sums(task, sums);
        cuda::Outcome outcome;
        rastertide_cuda_module()->assign(session(), task, outcome);
        expect_ok(outcome);
        Labelled expected = label_by_reference(stack, centers);
        difference.n_labels += n_others(labels, expected.labels);
        difference.n_sums += n_others(sums.state(), expected.sums.state());
        difference.n_changed += std::abs(task.n_changed - n_others(last, expected.labels));
        last = std::move(expected.labels);
    }
    return difference;
}

/// Distances to the nearest centre that differ from the reference's by more than rounding, or in nodata.
inline std::int64_t n_far_distances(int patch, std::int64_t n_bands) {
    Stack stack = speckle(2, patch + 5, patch + 70, n_bands);
    stack.at(1, 3, 3) = kNaN;
    const PatchCenters centers = some_centers(patch, n_bands, 7);
    const std::int64_t n = n_locations(stack, patch), n_cols = stack.n_cols - patch + 1;
    std::vector<float> expected(static_cast<std::size_t>(2 * n)), found(expected.size(), -1);
    reference::patch_distances(stack.pixels(), centers, {expected.data(), n, n_cols}, 1);
    cuda::Outcome outcome;
    rastertide_cuda_module()->distances(session(), task_of(stack, centers), {found.data(), n, n_cols},
                                        outcome);
    expect_ok(outcome);
    std::int64_t n_far = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        // Centres are rounded to floats, which counts where a patch lies near one.
        const double allowed = 2e-6 * expected[i] + 2e-6 * patch * std::sqrt(expected[i]);
        const bool is_near = std::isnan(expected[i]) ? std::isnan(found[i])
                                                     : std::abs(double{found[i]} - expected[i]) <= allowed;
        n_far += is_near ? 0 : 1;
    }
    return n_far;
}

}  // namespace rastertide::testing_support
