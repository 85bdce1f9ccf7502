// SPDX-License-Identifier: Apache-2.0
// The assignment step against the plain double-precision loops, and what must change no bit.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/core/error.hpp>

#include "compute/cpu/kmeans_rows.hpp"

namespace rastertide {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Stack {
    std::int64_t n_dates, n_bands, n_rows, n_cols;
    std::vector<float> values;

    float& at(std::int64_t date, std::int64_t band, std::int64_t row, std::int64_t col) {
        return values[static_cast<std::size_t>(((date * n_bands + band) * n_rows + row) * n_cols + col)];
    }
    PixelStack pixels() const { return {values.data(), n_dates, n_bands, n_rows, n_cols, 0, 0}; }
};

/// Speckle over a dark left and a bright right half.
Stack scene(std::int64_t n_dates, std::int64_t n_rows, std::int64_t n_cols, std::int64_t n_bands = 1) {
    Stack stack{n_dates, n_bands, n_rows, n_cols, {}};
    std::mt19937 random(static_cast<unsigned>(n_rows + 3 * n_cols));
    std::gamma_distribution<float> speckle(4.0F, 0.25F);
    for (std::int64_t i = 0; i < n_dates * n_bands * n_rows * n_cols; ++i) {
        stack.values.push_back(speckle(random) * (i % n_cols < n_cols / 2 ? 1.0F : 3.0F));
    }
    return stack;
}

PatchCenters some_centers(int patch_size, std::int64_t n_bands, std::int64_t n_clusters) {
    PatchCenters centers{patch_size, n_bands, n_clusters, {}};
    std::mt19937 random(5);
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
    std::int64_t n_rows, n_cols;
    std::vector<std::uint16_t> labels;
    PatchSums sums;
};

Result assign(const Stack& stack, const PatchCenters& centers, Backend backend = Backend::Cpu,
              int n_threads = 1) {
    const std::int64_t n_rows = stack.n_rows - centers.patch_size + 1;
    const std::int64_t n_cols = stack.n_cols - centers.patch_size + 1;
    Result result{n_rows, n_cols,
                  std::vector<std::uint16_t>(static_cast<std::size_t>(stack.n_dates * n_rows * n_cols), 9999),
                  PatchSums(centers.n_clusters, centers.n_features())};
    assign_patches(stack.pixels(), centers, kFixed, {result.labels.data(), n_rows * n_cols, n_cols},
                   &result.sums, {backend, n_threads});
    return result;
}

bool same_state(PatchSums a, PatchSums b) { return std::ranges::equal(a.state(), b.state()); }

/// Squared distance of patch i of a result to the centre of a label.
double distance_sq(Stack& stack, const Result& result, std::size_t i, const PatchCenters& centers,
                   int label) {
    const auto place = static_cast<std::int64_t>(i);
    const std::int64_t n = result.n_rows * result.n_cols;
    const std::int64_t date = place / n, row = place % n / result.n_cols, col = place % result.n_cols;
    const int p = centers.patch_size;
    double sum = 0;
    for (std::int64_t f = 0; f < centers.n_features(); ++f) {
        const double d =
            stack.at(date, f / (p * p), row + f / p % p, col + f % p) - centers.center(label - 1)[f];
        sum += d * d;
    }
    return sum;
}

/// Labels and sums are those of the plain double-precision loops, to the bit.
void expect_reference(const Stack& stack, const PatchCenters& centers) {
    const Result expected = assign(stack, centers, Backend::Reference, 2);
    const Result found = assign(stack, centers);
    std::int64_t n_others = 0;
    for (std::size_t i = 0; i < found.labels.size(); ++i)
        n_others += found.labels[i] != expected.labels[i] ? 1 : 0;
    EXPECT_EQ(n_others, 0) << "of " << found.labels.size();
    EXPECT_TRUE(same_state(found.sums, expected.sums));
}

TEST(KMeans, SixPixelsByHand) {
    // Centres 1 and 4 of single pixels: 2.5 ties, to the lower label.
    const Stack stack{1, 1, 1, 6, {0, 2, 2.5F, 3, kNaN, 9}};
    for (const Backend backend : available_backends()) {
        const Result result = assign(stack, {1, 1, 2, {1, 4}}, backend);
        EXPECT_EQ(result.labels, (std::vector<std::uint16_t>{1, 1, 1, 2, 0, 2})) << to_string(backend);
        EXPECT_EQ(result.sums.count(0), 3);
        EXPECT_EQ(result.sums.count(1), 2);
        const PatchCenters means = mean_centers({1, 1, 2, {1, 4}}, result.sums, kFixed);
        EXPECT_NEAR(means.values[0], 1.5, 1e-8);
        EXPECT_NEAR(means.values[1], 6, 1e-8);
    }
}

TEST(KMeans, AnEmptyClusterKeepsItsCenter) {
    const Stack stack{1, 1, 1, 2, {1, 2}};
    const PatchCenters centers{1, 1, 2, {1, 100}};
    EXPECT_EQ(mean_centers(centers, assign(stack, centers).sums, kFixed).values[1], 100);
}

using Size = std::tuple<int, int, int, int>;  // patch, clusters, columns of locations, bands
class KMeansSizes : public testing::TestWithParam<Size> {};

TEST_P(KMeansSizes, AgreeWithTheReference) {
    const auto& [patch, n_clusters, n_cols, n_bands] = GetParam();
    expect_reference(scene(2, patch + 4, patch + n_cols - 1, n_bands),
                     some_centers(patch, n_bands, n_clusters));
}

INSTANTIATE_TEST_SUITE_P(Clusters, KMeansSizes,
                         testing::Combine(testing::Values(7),
                                          testing::Values(1, 2, 5, 6, 7, 10, 12, 13, 16, 25, 300),
                                          testing::Values(40), testing::Values(1)));
INSTANTIATE_TEST_SUITE_P(Columns, KMeansSizes,
                         testing::Combine(testing::Values(3), testing::Values(4),
                                          testing::Values(1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65,
                                                          130),
                                          testing::Values(1)));
INSTANTIATE_TEST_SUITE_P(Patches, KMeansSizes,
                         testing::Combine(testing::Values(1, 3, 5, 9, 15, 31), testing::Values(3),
                                          testing::Values(50), testing::Values(1, 2, 3)));

// So many locations that centres are looked at by the moments of patches.
constexpr std::int64_t kManyRows = 140, kManyCols = 280;

class KMeansRanges : public testing::TestWithParam<Size> {};

/// NaNs, infinities, and what has no square in float, among patches that are like the centres.
TEST_P(KMeansRanges, AgreeWithTheReference) {
    const auto& [patch, n_clusters, n_cols, n_bands] = GetParam();
    Stack stack = scene(1, kManyRows + patch, n_cols + patch, n_bands);
    for (std::int64_t i = 0; i < kManyRows; i += 19) stack.at(0, 0, i, (7 * i + 3) % n_cols) = kNaN;
    stack.at(0, 0, 30, 60) = std::numeric_limits<float>::infinity();
    stack.at(0, 0, 31, 61) = -std::numeric_limits<float>::infinity();
    stack.at(0, 0, 70, 20) = 1e17F;
    stack.at(0, 0, 75, 90) = -3e18F;
    stack.at(0, 0, 90, 33) = 1e30F;
    expect_reference(stack, some_centers(patch, n_bands, n_clusters));
}

INSTANTIATE_TEST_SUITE_P(Clusters, KMeansRanges,
                         testing::Combine(testing::Values(7),
                                          testing::Values(2, 6, 7, 10, 13, 16, 33, 64, 65),
                                          testing::Values(kManyCols), testing::Values(1)));
INSTANTIATE_TEST_SUITE_P(Patches, KMeansRanges,
                         testing::Combine(testing::Values(1, 3, 9), testing::Values(3, 40),
                                          testing::Values(kManyCols - 3), testing::Values(1, 12)));

/// The squares of such levels leave little of a spread to floats.
TEST(KMeans, CandidatesFarFromTheLevelAreSure) {
    for (const float level : {-20.0F, 100.0F, 4096.0F}) {
        Stack stack = scene(1, kManyRows, kManyCols);
        for (std::size_t i = 0; i < stack.values.size(); ++i) {
            const bool is_flat = i % static_cast<std::size_t>(kManyCols) < 60;
            stack.values[i] = (is_flat ? 2 + stack.values[i] / 64 : stack.values[i]) + level;
        }
        PatchCenters centers = some_centers(7, 1, 25);
        for (double& value : centers.values) value += static_cast<double>(level);
        // Most centres at 0, so that the level of the labels is 0 and the patches lie far from it.
        std::fill_n(centers.values.begin(), 13 * centers.n_features(), 0);
        ASSERT_EQ(cpu::label_level(centers), 0);
        expect_reference(stack, centers);
    }
}

/// Ramps without speckle: means alone tell which centre is nearest, and candidates end where they change.
TEST(KMeans, CandidatesOfFlatPatchesAreSure) {
    Stack stack = scene(1, kManyRows, kManyCols);
    for (std::size_t i = 0; i < stack.values.size(); ++i)
        stack.values[i] = static_cast<float>(i % 4483) * 0.004F + stack.values[i] / 4096;
    for (const int n_clusters : {7, 13, 31}) {
        PatchCenters centers{7, 1, n_clusters, {}};
        for (int k = 0; k < n_clusters; ++k) centers.values.insert(centers.values.end(), 49, 0.3 + k * 0.37);
        expect_reference(stack, centers);
    }
}

/// Centres of one mean, whose patterns alone tell them apart, and of means side by side.
TEST(KMeans, CandidatesOfNarrowMeansAreSure) {
    const Stack stack = scene(1, kManyRows, kManyCols);
    for (const double step : {0.0, 1e-9, 0.01}) {
        PatchCenters centers = some_centers(7, 1, 9);
        for (std::size_t k = 0; k < 9; ++k) {
            double* center = centers.values.data() + 49 * k;
            double mean = 0;
            for (int i = 0; i < 49; ++i) mean += center[i] / 49;
            for (int i = 0; i < 49; ++i) center[i] += 1 + step * static_cast<double>(k) - mean;
        }
        expect_reference(stack, centers);
    }
}

/// Centres that differ in the last digits of a float, and one twice: floats alone get many labels wrong.
TEST(KMeans, WhatFloatsCannotTellIsAsInDoublePrecision) {
    for (const int patch : {1, 3, 7}) {
        PatchCenters centers = some_centers(patch, 2, 9);
        std::mt19937 random(3);
        std::uniform_real_distribution<double> nudge(-1e-6, 1e-6);
        const auto m = static_cast<std::size_t>(centers.n_features());
        for (std::size_t i = m; i < centers.values.size(); ++i)
            centers.values[i] = centers.values[i % m] * (1 + nudge(random));
        std::copy_n(centers.values.begin() + static_cast<std::ptrdiff_t>(2 * m), m,
                    centers.values.begin() + static_cast<std::ptrdiff_t>(5 * m));
        expect_reference(scene(2, patch + 20, patch + 60, 2), centers);
    }
}

/// Whole numbers, whose distances to two centres are often the same: the lower label wins.
TEST(KMeans, TiesOfWholeNumbersGoToTheLowerLabel) {
    Stack stack = scene(2, 40, 70);
    for (float& value : stack.values) value = std::round(value);
    for (const int patch : {1, 3}) {
        PatchCenters centers{patch, 1, 6, {}};
        for (int k = 0; k < 6; ++k) {
            for (int i = 0; i < patch * patch; ++i) centers.values.push_back((i + k) % 3 + k / 2);
        }
        expect_reference(stack, centers);
    }
}

TEST(KMeans, PatchesThatHoldANanHaveNoLabelAndNoPart) {
    Stack stack = scene(3, 30, 70);
    stack.at(1, 0, 12, 40) = kNaN;
    for (std::int64_t i = 0; i < 30; ++i) stack.at(2, 0, i, 2 * i) = kNaN;
    expect_reference(stack, some_centers(5, 1, 6));
}

TEST(KMeans, SumsAreThoseOfTheLabelledPatches) {
    Stack stack = scene(2, 20, 45, 2);
    stack.at(0, 1, 9, 20) = kNaN;
    const PatchCenters centers = some_centers(3, 2, 4);
    const Result result = assign(stack, centers);
    PatchSums expected(4, centers.n_features());
    for (std::size_t i = 0; i < result.labels.size(); ++i) {
        if (result.labels[i] == 0) continue;
        const auto place = static_cast<std::int64_t>(i);
        const std::int64_t n = result.n_rows * result.n_cols;
        const std::int64_t date = place / n, row = place % n / result.n_cols, col = place % result.n_cols;
        ++expected.count(result.labels[i] - 1);
        for (std::int64_t f = 0; f < centers.n_features(); ++f) {
            expected.sums(result.labels[i] - 1)[static_cast<std::size_t>(f)] +=
                kFixed.to_integer(stack.at(date, f / 9, row + f / 3 % 3, col + f % 3));
        }
    }
    EXPECT_TRUE(same_state(result.sums, expected));
}

TEST(KMeans, ThreadsChangeNoBit) {
    const Stack stack = scene(3, 150, 60);
    const PatchCenters centers = some_centers(7, 1, 10);
    const Result one = assign(stack, centers);
    const Result three = assign(stack, centers, Backend::Cpu, 3);
    EXPECT_EQ(three.labels, one.labels);
    EXPECT_TRUE(same_state(three.sums, one.sums));
}

TEST(KMeans, CutsChangeNoBit) {
    Stack stack = scene(2, 60, 90);
    stack.at(1, 0, 30, 33) = kNaN;
    const PatchCenters centers = some_centers(7, 1, 10);
    const Result whole = assign(stack, centers);
    PatchSums sums(10, 49);
    for (std::int64_t row = 0; row < whole.n_rows; row += 13) {
        for (std::int64_t col = 0; col < whole.n_cols; col += 29) {
            Stack tile{2,
                       1,
                       std::min<std::int64_t>(13, whole.n_rows - row) + 6,
                       std::min<std::int64_t>(29, whole.n_cols - col) + 6,
                       {}};
            for (std::int64_t date = 0; date < 2; ++date) {
                for (std::int64_t r = 0; r < tile.n_rows; ++r) {
                    const float* line = &stack.at(date, 0, row + r, col);
                    tile.values.insert(tile.values.end(), line, line + tile.n_cols);
                }
            }
            const Result part = assign(tile, centers);
            sums.merge(part.sums);
            for (std::size_t i = 0; i < part.labels.size(); ++i) {
                const auto place = static_cast<std::int64_t>(i);
                const std::int64_t n = part.n_rows * part.n_cols;
                const std::int64_t to = place / n * whole.n_rows * whole.n_cols +
                                        (row + place % n / part.n_cols) * whole.n_cols + col +
                                        place % part.n_cols;
                ASSERT_EQ(part.labels[i], whole.labels[static_cast<std::size_t>(to)]);
            }
        }
    }
    EXPECT_TRUE(same_state(sums, whole.sums));
}

TEST(KMeans, ACommonLevelCostsNothing) {
    Stack stack = scene(1, 40, 60);
    for (float& value : stack.values) value = std::round(value * 64) / 64;
    Stack shifted = stack;
    for (float& value : shifted.values) value += 4096;
    PatchCenters centers = some_centers(7, 1, 6);
    PatchCenters shifted_centers = centers;
    for (double& value : shifted_centers.values) value += 4096;
    const FixedPoint fixed = FixedPoint::for_range(4096, 4096 + 16);
    const Result expected = assign(stack, centers);
    Result found = expected;
    assign_patches(shifted.pixels(), shifted_centers, fixed, {found.labels.data(), 34 * 54, 54}, &found.sums);
    EXPECT_EQ(found.labels, expected.labels);
}

TEST(KMeans, LabelsAreTheSameWithoutSums) {
    const Stack stack = scene(2, 30, 70);
    for (const Backend backend : available_backends()) {
        Result result = assign(stack, some_centers(5, 1, 6), backend);
        const std::vector<std::uint16_t> expected = result.labels;
        std::ranges::fill(result.labels, std::uint16_t{9999});
        assign_patches(stack.pixels(), some_centers(5, 1, 6), kFixed,
                       {result.labels.data(), result.n_rows * result.n_cols, result.n_cols}, nullptr,
                       {backend, 1});
        EXPECT_EQ(result.labels, expected) << to_string(backend);
    }
}

TEST(KMeans, WideTilesAreWorkedOnInBlocksOfColumns) {
    expect_reference(scene(1, 3, 700, 90), some_centers(1, 90, 3));
    expect_reference(scene(1, 9, 1500, 8), some_centers(7, 8, 3));
    expect_reference(scene(1, 2, 300, 363), some_centers(1, 363, 10));
}

std::vector<float> distances_of(const Stack& stack, const PatchCenters& centers,
                                Backend backend = Backend::Cpu, int n_threads = 1) {
    const std::int64_t n_rows = stack.n_rows - centers.patch_size + 1;
    const std::int64_t n_cols = stack.n_cols - centers.patch_size + 1;
    std::vector<float> distances(static_cast<std::size_t>(stack.n_dates * n_rows * n_cols), -1);
    patch_distances(stack.pixels(), centers, {distances.data(), n_rows * n_cols, n_cols},
                    {backend, n_threads});
    return distances;
}

/// Squares and sums of m terms round to within 2 m 2^-24 of the whole. Pixels and centres, up to 16, and
/// their differences round by 3 x 16 x 2^-24 a term: twice that times the distance, by Cauchy and Schwarz.
void expect_reference_distances(const Stack& stack, const PatchCenters& centers) {
    const std::vector<float> expected = distances_of(stack, centers, Backend::Reference, 2);
    const std::vector<float> found = distances_of(stack, centers);
    const auto m = static_cast<double>(centers.n_features());
    for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(std::isnan(found[i]), std::isnan(expected[i])) << i;
        if (!std::isnan(found[i])) {
            const double from_values = 2 * 3 * 16 * 0x1p-24 * std::sqrt(m * expected[i]);
            ASSERT_NEAR(found[i], expected[i], 2 * m * 0x1p-24 * expected[i] + from_values + 1e-9) << i;
        }
    }
}

TEST_P(KMeansSizes, DistancesAgreeWithTheReference) {
    const auto& [patch, n_clusters, n_cols, n_bands] = GetParam();
    expect_reference_distances(scene(2, patch + 4, patch + n_cols - 1, n_bands),
                               some_centers(patch, n_bands, n_clusters));
}

TEST(KMeans, APatchThatEqualsACenterIsAtDistanceZero) {
    const Stack stack = scene(1, 9, 20);
    PatchCenters centers = some_centers(7, 1, 4);
    for (int y = 0; y < 7; ++y) {
        for (int x = 0; x < 7; ++x) {
            centers.values[static_cast<std::size_t>(2 * 49 + y * 7 + x)] =
                stack.values[static_cast<std::size_t>((y + 1) * 20 + x + 5)];
        }
    }
    for (const Backend backend : available_backends()) {
        const std::vector<float> distances = distances_of(stack, centers, backend);
        EXPECT_EQ(distances[1 * 14 + 5], 0) << to_string(backend);
        EXPECT_EQ(std::ranges::count(distances, 0.0F), 1) << to_string(backend);
    }
}

TEST(KMeans, PatchesThatHoldANanHaveNoDistance) {
    Stack stack = scene(2, 20, 70);
    stack.at(1, 0, 12, 40) = kNaN;
    for (const std::int64_t n_clusters : {1, 5, 17}) {
        const PatchCenters centers = some_centers(5, 1, n_clusters);
        const std::vector<float> distances = distances_of(stack, centers);
        EXPECT_EQ(std::ranges::count_if(distances, [](float d) { return std::isnan(d); }), 25);
        expect_reference_distances(stack, centers);
    }
}

TEST(KMeans, CutsAndThreadsChangeNoBitOfADistance) {
    const Stack stack = scene(2, 150, 90);
    const PatchCenters centers = some_centers(7, 1, 10);
    const std::vector<float> whole = distances_of(stack, centers);
    Stack lower{2, 1, 101, 90, {}};
    for (std::int64_t date = 0; date < 2; ++date) {
        const auto from = stack.values.begin() + (date * 150 + 49) * 90;
        lower.values.insert(lower.values.end(), from, from + std::int64_t{101} * 90);
    }
    const std::vector<float> part = distances_of(lower, centers);
    for (std::size_t date = 0; date < 2; ++date) {
        EXPECT_TRUE(std::equal(part.begin() + static_cast<std::ptrdiff_t>(date * 95 * 84),
                               part.begin() + static_cast<std::ptrdiff_t>((date + 1) * 95 * 84),
                               whole.begin() + static_cast<std::ptrdiff_t>((date * 144 + 49) * 84)));
    }
    EXPECT_EQ(distances_of(stack, centers, Backend::Cpu, 3), whole);
}

class KMeansLevels : public testing::TestWithParam<const char*> {
  protected:
    void TearDown() override { unsetenv("RASTERTIDE_SIMD"); }
};

TEST_P(KMeansLevels, AgreeWithTheReference) {
    setenv("RASTERTIDE_SIMD", GetParam(), 1);
    try {
        EXPECT_EQ(simd_level(), GetParam());
    } catch (const InvalidArgument& error) {
        GTEST_SKIP() << error.what();
    }
    expect_reference(scene(2, 20, 70), some_centers(7, 1, 10));
    expect_reference(scene(1, 20, 70, 2), some_centers(3, 2, 17));
    Stack stack = scene(1, kManyRows, kManyCols);
    for (std::int64_t i = 0; i < kManyRows; i += 11) stack.at(0, 0, i, 2 * i) = kNaN;
    stack.at(0, 0, 75, 90) = 1e30F;
    expect_reference(stack, some_centers(7, 1, 10));
    expect_reference(stack, some_centers(7, 1, 40));
}

INSTANTIATE_TEST_SUITE_P(Simd, KMeansLevels,
                         testing::Values("SCALAR", "SSE4", "AVX2", "AVX3", "AVX3_DL", "NEON"));

/// Iterations lower the sum of squared distances, and stop where nothing moves.
TEST(KMeans, LloydsStepsNeverRaiseTheEnergy) {
    Stack stack = scene(2, 40, 50);
    PatchCenters centers = some_centers(3, 1, 4);
    double last = std::numeric_limits<double>::infinity();
    for (int iteration = 0; iteration < 12; ++iteration) {
        const Result result = assign(stack, centers);
        double energy = 0;
        for (std::size_t i = 0; i < result.labels.size(); ++i) {
            energy += distance_sq(stack, result, i, centers, result.labels[i]);
        }
        EXPECT_LE(energy, last * (1 + 1e-9)) << iteration;
        last = energy;
        centers = mean_centers(centers, result.sums, kFixed);
    }
}

TEST(KMeans, BadArgumentsAreNamed) {
    const Stack stack = scene(1, 9, 9);
    const auto message_of = [&](const PatchCenters& centers, std::int64_t n_clusters) {
        PatchSums sums(n_clusters, 9);
        try {
            assign_patches(stack.pixels(), centers, kFixed, {}, &sums);
        } catch (const InvalidArgument& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    PatchCenters centers = some_centers(3, 1, 2);
    EXPECT_EQ(message_of(centers, 3), "kmeans: n_clusters of the sums is 3, expected 2");
    centers.values.pop_back();
    EXPECT_EQ(message_of(centers, 2), "kmeans: the number of centres' values is 17, expected 18");
    centers.values.push_back(kNaN);
    EXPECT_EQ(message_of(centers, 2),
              "centre 2 holds a value that is not finite, or beyond 1e17 in magnitude");
    EXPECT_EQ(message_of({4, 1, 1, {}}, 1), "patch is 4, must be odd, 1 to 31");
    EXPECT_EQ(message_of({3, 1, 0, {}}, 1), "k is 0, must be 1 to 65534");
    EXPECT_EQ(message_of(some_centers(3, 2, 1), 1), "kmeans: n_bands of the centres is 2, expected 1");
}

TEST(FixedPoints, HoldTheirRange) {
    for (const auto& [min, max] :
         {std::pair<double, double>{0, 16}, {-30, 5}, {1e-6, 2e-6}, {-1e18, 1e18}, {3, 3}}) {
        for (const int bits : {FixedPoint::kFewestBits, 37, FixedPoint::kMostBits}) {
            const FixedPoint fixed = FixedPoint::for_range(min, max, bits);
            for (const double value : {min, max}) {
                const auto integer = static_cast<double>(fixed.to_integer(static_cast<float>(value)));
                EXPECT_NEAR(fixed.offset + integer / fixed.scale(), static_cast<float>(value),
                            (max - min) * std::ldexp(1.0, -bits) + 1e-300);
            }
            EXPECT_LE(std::abs(fixed.to_integer(static_cast<float>(max))), fixed.max_magnitude());
        }
    }
    EXPECT_THROW(FixedPoint::for_range(0, std::numeric_limits<double>::infinity()), InvalidArgument);
    EXPECT_THROW(FixedPoint::for_range(1, 0), InvalidArgument);
}

TEST(FixedPoints, SumsOfAllPatchesFit64Bits) {
    EXPECT_EQ(FixedPoint::bits_for(1), 42);
    EXPECT_EQ(FixedPoint::bits_for((1 << 21) - 1), 42);
    EXPECT_EQ(FixedPoint::bits_for(1 << 21), 41);
    EXPECT_EQ(FixedPoint::bits_for(4'297'729'788), 30);
    EXPECT_THROW(FixedPoint::bits_for(std::int64_t{1} << 39), InvalidArgument);
    for (const std::int64_t n :
         {std::int64_t{1}, std::int64_t{1} << 21, (std::int64_t{1} << 25) - 1, (std::int64_t{1} << 39) - 1})
        EXPECT_LE(static_cast<double>(n) * std::ldexp(1.0, FixedPoint::bits_for(n)), 0x1p63) << n;
}

}  // namespace
}  // namespace rastertide
