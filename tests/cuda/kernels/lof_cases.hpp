// SPDX-License-Identifier: Apache-2.0
// What LOF of the CUDA module is tested with: for GoogleTest, and for the program of tests/cuda/on_device.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "cuda/kernels/module_calls.hpp"

namespace rastertide::testing_support {

struct LofCase {
    std::string name;  ///< of letters, digits and _
    LofParams params;
    std::function<Stack()> stack;
    int n_near_ties = 0;  ///< scores that may be far off: near-ties may take another neighbour
};

inline LofCase lof_size_case(const std::string& what, int n_dates, int patch, int neighbors) {
    const std::string name =
        what + "_" + std::to_string(n_dates) + "_" + std::to_string(patch) + "_" + std::to_string(neighbors);
    return {name, {patch, neighbors}, [=] { return speckle(n_dates, patch + 4, patch + 9); }, 0};
}

/// Tails of groups, of dates that go through together, of blocks' pairs of dates; k = n - 1.
inline std::vector<LofCase> lof_size_cases() {
    std::vector<LofCase> cases;
    for (const int n_dates : {2, 3, 31, 32, 33, 65}) {
        cases.push_back(lof_size_case("Dates", n_dates, 3, 1));
        if (n_dates > 2) cases.push_back(lof_size_case("Dates", n_dates, 3, std::min(10, n_dates - 1)));
    }
    cases.push_back(lof_size_case("Neighbors", 5, 3, 2));
    for (const int neighbors : {15, 16, 17}) cases.push_back(lof_size_case("Neighbors", 40, 1, neighbors));
    cases.push_back(lof_size_case("Neighbors", 40, 3, 39));
    cases.push_back(lof_size_case("Neighbors", 66, 1, 64));
    for (const int patch : {1, 3, 5, 7, 9, 31}) cases.push_back(lof_size_case("Patches", 37, patch, 10));
    return cases;
}

inline Stack stack_with_invalid_pixels() {
    Stack stack = speckle(40, 16, 20);
    stack.at(3, 10, 10) = kNaN;
    for (std::int64_t row = 0; row < 16; ++row) stack.at(20, row, row) = kNaN;
    for (std::int64_t date = 0; date < 38; ++date) stack.at(date, 15, 19) = kNaN;  // two dates are left
    for (std::int64_t row = 0; row < 16; ++row) {
        for (std::int64_t col = 0; col < 20; ++col) stack.at(30, row, col) = kNaN;
    }
    return stack;
}

inline Stack stack_of_few_valid_dates() {
    Stack stack = speckle(20, 9, 9);
    for (std::int64_t date = 0; date < 14; ++date) stack.at(date, 4, 4) = kNaN;
    return stack;
}

/// Few values: many equal distances, whose sums are exact, and full lists of candidates.
inline Stack stack_of_ties() {
    Stack stack = speckle(70, 6, 8);
    for (float& value : stack.values) value = std::round(value * 2);
    return stack;
}

/// Nearest in time are nearest: groups of dates must not be neighbours in time.
inline Stack stack_that_drifts() {
    Stack stack = speckle(100, 8, 8);
    for (std::int64_t date = 0; date < 100; ++date) {
        for (std::int64_t i = 0; i < 64; ++i)
            stack.at(date, i / 8, i % 8) = stack.at(date, i / 8, i % 8) * 0.01F + static_cast<float>(date);
    }
    return stack;
}

inline Stack stack_with_a_large_offset() {
    Stack stack = speckle(30, 9, 9);
    for (float& value : stack.values) value = std::round(value * 1024) / 1024 + 1000;
    return stack;
}

inline Stack stack_of_one_value(std::int64_t n_dates, std::int64_t n_rows, std::int64_t n_cols, float value) {
    return {n_dates, 1, n_rows, n_cols,
            std::vector<float>(static_cast<std::size_t>(n_dates * n_rows * n_cols), value)};
}

inline std::vector<LofCase> lof_cases() {
    std::vector<LofCase> cases = lof_size_cases();
    cases.push_back({"LocationsBeyondOneBlock", {7, 5}, [] { return speckle(12, 70, 75); }, 2});
    cases.push_back({"TwoBandsAreOnePatch", {7, 10}, [] { return speckle(20, 11, 12, 2); }});
    cases.push_back({"ThreeBandsAreOnePatch", {9, 5}, [] { return speckle(20, 13, 14, 3); }});
    cases.push_back({"InvalidPixelsTakeTheirDatesOut", {5, 10}, stack_with_invalid_pixels});
    cases.push_back({"InvalidPixelsWithOneNeighbor", {5, 1}, stack_with_invalid_pixels});
    cases.push_back({"NothingValid", {5, 10}, [] { return stack_of_one_value(40, 16, 20, kNaN); }});
    cases.push_back({"FewValidDatesHaveFewerNeighbors", {9, 10}, stack_of_few_valid_dates});
    cases.push_back({"DuplicatesScoreOne", {3, 10}, [] { return stack_of_one_value(60, 7, 7, 3.5F); }});
    cases.push_back({"TiesGoToTheEarlierDate", {1, 3}, stack_of_ties});
    cases.push_back({"TiesOfManyNeighbors", {1, 20}, stack_of_ties});
    cases.push_back({"DatesThatDrift", {3, 10}, stack_that_drifts});
    cases.push_back({"ALargeOffsetCostsNoDigits", {7, 10}, stack_with_a_large_offset});
    return cases;
}

/// Of the module's scores and the reference's.
struct LofDifference {
    std::int64_t n_nodata = 0;  ///< NaN on one side only
    std::int64_t n_far = 0;     ///< that differ by more than 1e-6 of them
    std::int64_t n_scores = 0;
    double worst = 0;
};

inline LofDifference lof_difference(const LofCase& test) {
    const Stack stack = test.stack();
    const std::vector<float> expected = reference_scores(stack, test.params);
    const std::vector<float> found = module_scores(stack, test.params);
    LofDifference difference;
    difference.n_scores = static_cast<std::int64_t>(expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (std::isnan(found[i]) != std::isnan(expected[i])) ++difference.n_nodata;
        if (std::isnan(found[i]) || std::isnan(expected[i])) continue;
        const double error = std::abs(found[i] / expected[i] - 1);
        difference.worst = std::max(difference.worst, error);
        if (error > 1e-6) ++difference.n_far;
    }
    return difference;
}

inline std::int64_t n_other_bytes(const std::vector<float>& a, const std::vector<float>& b) {
    std::int64_t n = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        n += std::memcmp(&a[i], &b[i], sizeof(float)) != 0 ? 1 : 0;
    return n;
}

/// Scores of a stack that are other bytes when they are computed again, and when a part of it is scored
/// alone.
struct CutDifference {
    std::int64_t n_again = 0, n_in_part = 0;
};

inline CutDifference lof_cut_difference() {
    Stack stack = speckle(34, 75, 50);
    stack.at(5, 40, 20) = kNaN;
    const LofParams params{7, 10};
    Stack whole{34, 1, 69, 44, module_scores(stack, params)};
    CutDifference difference;
    difference.n_again = n_other_bytes(whole.values, module_scores(stack, params));
    const std::int64_t row = 13, col = 7, n_rows = 56, n_cols = 35;
    difference.n_in_part = n_other_bytes(whole.part(row, col, n_rows, n_cols).values,
                                         module_scores(stack.part(row, col, n_rows + 6, n_cols + 6), params));
    return difference;
}

}  // namespace rastertide::testing_support
