// SPDX-License-Identifier: Apache-2.0
// The kernel against the plain double-precision loops, and what must change no bit.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/compute/lof.hpp>
#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Stack {
    std::int64_t n_dates, n_bands, n_rows, n_cols;
    std::vector<float> values;

    float& at(std::int64_t date, std::int64_t row, std::int64_t col, std::int64_t band = 0) {
        return values[static_cast<std::size_t>(((date * n_bands + band) * n_rows + row) * n_cols + col)];
    }
    PixelStack pixels() const { return {values.data(), n_dates, n_bands, n_rows, n_cols, 0, 0}; }
};

Stack speckle(std::int64_t n_dates, std::int64_t n_rows, std::int64_t n_cols, std::int64_t n_bands = 1) {
    Stack stack{n_dates, n_bands, n_rows, n_cols, {}};
    std::mt19937 random(static_cast<unsigned>(7 * n_dates + n_rows));
    std::gamma_distribution<float> gamma(4.0F, 0.25F);
    for (std::int64_t i = 0; i < n_dates * n_bands * n_rows * n_cols; ++i)
        stack.values.push_back(gamma(random));
    return stack;
}

/// Scores of all locations, [n_dates][rows][cols].
std::vector<float> score(const Stack& stack, const LofParams& params, Backend backend = Backend::Cpu,
                         int n_threads = 1, std::int64_t origin = 0) {
    const std::int64_t n_rows = stack.n_rows - params.patch_size + 1,
                       n_cols = stack.n_cols - params.patch_size + 1;
    std::vector<float> scores(static_cast<std::size_t>(stack.n_dates * n_rows * n_cols), -1);
    PixelStack pixels = stack.pixels();
    pixels.first_row = pixels.first_col = origin;
    lof(pixels, params, {scores.data(), n_rows * n_cols, n_cols}, {backend, n_threads});
    return scores;
}

bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Near-ties may take another neighbour: 99.99% of the scores agree to 1e-4, nodata agrees exactly.
void expect_near_reference(const Stack& stack, const LofParams& params) {
    const std::vector<float> expected = score(stack, params, Backend::Reference, 2);
    const std::vector<float> found = score(stack, params);
    std::size_t n_far = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(std::isnan(found[i]), std::isnan(expected[i])) << "score " << i;
        if (!std::isnan(expected[i]))
            n_far += std::abs(found[i] - expected[i]) > 1e-4F * expected[i] ? 1U : 0U;
    }
    EXPECT_LE(n_far, expected.size() / 10000);
}

TEST(Lof, FiveDatesOfOnePixelByHand) {
    // Values 0 1 2 4 10, k = 2. Neighbours: 0: {1, 2}, 1: {0, 2}, 2: {1, 0} (0 and 4 tie at 2: the earlier
    // one), 4: {2, 1}, 10: {4, 2}; kdist 2 1 2 3 8. Mean reach: 0: (1 + 2) / 2, 1: (2 + 2) / 2, 2: (1 + 2) /
    // 2, 4: (2 + 3) / 2, 10: (6 + 8) / 2. Densities 2/3 1/2 2/3 2/5 1/7.
    Stack stack{5, 1, 1, 1, {0, 1, 2, 4, 10}};
    const std::vector<double> expected = {
        (1.0 / 2 + 2.0 / 3) / 2 / (2.0 / 3), (2.0 / 3 + 2.0 / 3) / 2 / (1.0 / 2),
        (1.0 / 2 + 2.0 / 3) / 2 / (2.0 / 3), (2.0 / 3 + 1.0 / 2) / 2 / (2.0 / 5),
        (2.0 / 5 + 2.0 / 3) / 2 / (1.0 / 7)};
    for (const Backend backend : available_backends()) {
        const std::vector<float> scores = score(stack, {1, 2}, backend);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_NEAR(scores[i], expected[i], 1e-6) << to_string(backend) << ", date " << i;
        }
    }
}

TEST(Lof, DuplicatesScoreOne) {
    Stack stack{20, 1, 9, 9, std::vector<float>(20 * 81, 3.5F)};
    for (const Backend backend : available_backends()) {
        for (const float value : score(stack, {3, 10}, backend)) ASSERT_EQ(value, 1);
    }
}

TEST(Lof, ALonelyDateStandsOut) {
    Stack stack = speckle(40, 12, 12);
    for (std::int64_t row = 0; row < 12; ++row) {
        for (std::int64_t col = 0; col < 12; ++col) stack.at(17, row, col) *= 8;
    }
    const std::vector<float> scores = score(stack, {5, 10});
    for (std::size_t date = 0; date < 40; ++date) {
        for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(scores[date * 64 + i] > 2, date == 17);
    }
}

using Size = std::tuple<std::int64_t, int, int>;  // dates, patch, neighbors
class LofSizes : public testing::TestWithParam<Size> {};

TEST_P(LofSizes, AgreeWithTheReference) {
    const auto& [n_dates, patch, neighbors] = GetParam();
    const int most = static_cast<int>(n_dates) - 1;
    expect_near_reference(speckle(n_dates, patch + 8, patch + 17), {patch, std::min(neighbors, most)});
}

INSTANTIATE_TEST_SUITE_P(Dates, LofSizes,
                         testing::Combine(testing::Values(2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65,
                                                          130),
                                          testing::Values(3), testing::Values(1, 5, 10, 16, 17, 33, 64)));
INSTANTIATE_TEST_SUITE_P(Neighbors, LofSizes,
                         testing::Combine(testing::Values(130, 211), testing::Values(3),
                                          testing::Values(11, 12, 24, 25, 48, 49)));
INSTANTIATE_TEST_SUITE_P(Patches, LofSizes,
                         testing::Combine(testing::Values(37), testing::Values(1, 3, 5, 7, 9, 11, 13, 17, 31),
                                          testing::Values(10)));

TEST(Lof, SeveralBandsAreOnePatch) {
    for (const std::int64_t n_bands : {2, 3}) expect_near_reference(speckle(40, 20, 22, n_bands), {7, 10});
}

TEST(Lof, InvalidPixelsTakeTheirDatesOut) {
    Stack stack = speckle(50, 24, 30);
    stack.at(3, 10, 10) = kNaN;
    for (std::int64_t row = 0; row < 24; ++row) stack.at(20, row, row) = kNaN;
    for (std::int64_t date = 0; date < 48; ++date)
        stack.at(date, 20, 25) = kNaN;  // two dates are left: no score
    for (std::int64_t row = 0; row < 24; ++row) {
        for (std::int64_t col = 0; col < 30; ++col) stack.at(30, row, col) = kNaN;
    }
    for (const int neighbors : {10, 20, 40}) expect_near_reference(stack, {5, neighbors});
}

TEST(Lof, FewValidDatesHaveFewerNeighbors) {
    Stack stack = speckle(50, 9, 9);
    for (std::int64_t date = 0; date < 44; ++date) stack.at(date, 4, 4) = kNaN;
    for (const int neighbors : {10, 20, 40}) expect_near_reference(stack, {9, neighbors});
}

TEST(Lof, NeighborsMayAllBeDatesNearby) {
    Stack stack = speckle(200, 12, 12);
    for (std::int64_t date = 0; date < 200; ++date) {
        for (std::int64_t i = 0; i < 144; ++i) stack.at(date, i / 12, i % 12) += static_cast<float>(date);
    }
    for (const int neighbors : {10, 20, 40}) expect_near_reference(stack, {3, neighbors});
}

TEST(Lof, TiesGoToTheEarlierDate) {
    Stack stack = speckle(60, 12, 12);
    for (float& value : stack.values)
        value = std::round(value * 2);  // few values: many equal distances, exact sums
    for (const int neighbors : {3, 10, 20, 40}) {
        const std::vector<float> expected = score(stack, {1, neighbors}, Backend::Reference);
        const std::vector<float> found = score(stack, {1, neighbors});
        for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i] / expected[i], 1, 1e-5) << i;
    }
}

TEST(Lof, ALargeOffsetCostsNothing) {
    Stack stack = speckle(40, 14, 14);
    for (float& value : stack.values) value = std::round(value * 64);
    Stack shifted = stack;
    for (float& value : shifted.values) value += 1 << 20;
    EXPECT_TRUE(same_bytes(score(shifted, {7, 10}), score(stack, {7, 10})));
}

TEST(Lof, ThreadsChangeNoBit) {
    const Stack stack = speckle(45, 40, 50);
    EXPECT_TRUE(same_bytes(score(stack, {7, 10}, Backend::Cpu, 3), score(stack, {7, 10})));
}

using Cut =
    std::tuple<int, int, std::int64_t, std::int64_t>;  // patch, neighbors, bands, origin in the raster
class LofTiles : public testing::TestWithParam<Cut> {};

#ifdef __SANITIZE_ADDRESS__
constexpr std::int64_t kCutRows = 32, kCutCols = 48, kCutDates = 24;  // it makes them a hundred times as slow
#else
constexpr std::int64_t kCutRows = 60, kCutCols = 70, kCutDates = 45;
#endif

TEST_P(LofTiles, CutsChangeNoBit) {
    const auto& [patch, neighbors, n_bands, origin] = GetParam();
    const LofParams params = {patch, std::min(neighbors, static_cast<int>(kCutDates) - 1)};
    Stack stack = speckle(kCutDates, kCutRows, kCutCols, n_bands);
    stack.at(5, kCutRows / 2, 33) = kNaN;
    const std::int64_t n_rows = stack.n_rows - params.patch_size + 1,
                       n_cols = stack.n_cols - params.patch_size + 1;
    const std::vector<float> whole = score(stack, params, Backend::Cpu, 1, origin);
    for (const auto& [height, width] : {std::pair<std::int64_t, std::int64_t>{7, 11}, {13, 29}, {1, 64}}) {
        std::vector<float> scores(whole.size());
        for (std::int64_t row = 0; row < n_rows; row += height) {
            for (std::int64_t col = 0; col < n_cols; col += width) {
                Stack tile{kCutDates,
                           n_bands,
                           std::min(height, n_rows - row) + params.patch_size - 1,
                           std::min(width, n_cols - col) + params.patch_size - 1,
                           {}};
                for (std::int64_t image = 0; image < kCutDates * n_bands; ++image) {
                    for (std::int64_t r = 0; r < tile.n_rows; ++r) {
                        const float* line = &stack.at(image / n_bands, row + r, col, image % n_bands);
                        tile.values.insert(tile.values.end(), line, line + tile.n_cols);
                    }
                }
                PixelStack pixels = tile.pixels();
                pixels.first_row = origin + row;
                pixels.first_col = origin + col;
                lof(pixels, params, {scores.data() + row * n_cols + col, n_rows * n_cols, n_cols},
                    {Backend::Cpu, 1});
            }
        }
        EXPECT_TRUE(same_bytes(scores, whole)) << height << " x " << width;
    }
}

INSTANTIATE_TEST_SUITE_P(Patches, LofTiles,
                         testing::Combine(testing::Values(1, 3, 5, 7, 9, 15), testing::Values(10),
                                          testing::Values(1), testing::Values(0)));
INSTANTIATE_TEST_SUITE_P(Others, LofTiles,
                         testing::Values(Cut{7, 3, 2, -40}, Cut{7, 20, 1, 5}, Cut{7, 20, 3, -40},
                                         Cut{7, 40, 1, 5}, Cut{5, 3, 3, 5}, Cut{11, 10, 1, -40},
                                         Cut{11, 10, 2, 7}, Cut{3, 10, 2, 5}, Cut{1, 10, 2, -3}));

class LofLevels : public testing::TestWithParam<const char*> {
  protected:
    void TearDown() override { unsetenv("RASTERTIDE_SIMD"); }
};

TEST_P(LofLevels, AgreeWithTheReference) {
    setenv("RASTERTIDE_SIMD", GetParam(), 1);
    try {
        EXPECT_EQ(simd_level(), GetParam());
    } catch (const InvalidArgument& error) {
        GTEST_SKIP() << error.what();
    }
    expect_near_reference(speckle(70, 22, 25), {7, 10});
    expect_near_reference(speckle(70, 12, 14, 2), {3, 25});
    expect_near_reference(speckle(200, 12, 14), {3, 20});
}

bool has_fma(const std::string& level) { return level.starts_with("AVX") || level == "NEON"; }

TEST_P(LofLevels, DifferByRoundingAlone) {
    const Stack stack = speckle(150, 22, 25);
    for (const int neighbors : {10, 20, 40}) {
        unsetenv("RASTERTIDE_SIMD");
        const std::vector<float> best = score(stack, {7, neighbors});
        const std::string best_level(simd_level());
        setenv("RASTERTIDE_SIMD", GetParam(), 1);
        try {
            simd_level();
        } catch (const InvalidArgument& error) {
            GTEST_SKIP() << error.what();
        }
        const std::vector<float> found = score(stack, {7, neighbors});
        if (has_fma(GetParam()) && has_fma(best_level)) {
            EXPECT_TRUE(same_bytes(found, best)) << neighbors;
            continue;
        }
        // Near-ties may take another neighbour.
        const auto is_far = [](float a, float b) { return !(std::abs(a / b - 1) <= 2e-6F); };
        EXPECT_LE(std::inner_product(found.begin(), found.end(), best.begin(), std::size_t{0}, std::plus<>(),
                                     is_far),
                  found.size() / 10000)
            << neighbors;
    }
}

INSTANTIATE_TEST_SUITE_P(Simd, LofLevels,
                         testing::Values("SCALAR", "EMU128", "SSE4", "AVX2", "AVX3", "AVX3_DL", "NEON"));

TEST(Lof, UnknownSimdLevelsAreRefused) {
    setenv("RASTERTIDE_SIMD", "MMX", 1);
    EXPECT_THROW(simd_level(), InvalidArgument);
    unsetenv("RASTERTIDE_SIMD");
}

TEST(Lof, ArgumentsOutOfRangeAreNamed) {
    const Stack stack = speckle(12, 9, 9);
    std::vector<float> scores(12 * 81);
    const auto message_of = [&](PixelStack pixels, LofParams params) {
        try {
            lof(pixels, params, {scores.data(), 81, 9});
        } catch (const InvalidArgument& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    PixelStack pixels = stack.pixels();
    EXPECT_EQ(message_of(pixels, {4, 3}), "patch is 4, must be odd, 1 to 31");
    EXPECT_EQ(message_of(pixels, {33, 3}), "patch is 33, must be odd, 1 to 31");
    EXPECT_EQ(message_of(pixels, {3, 0}), "neighbors is 0, must be at least 1");
    EXPECT_EQ(message_of(pixels, {3, 12}), "neighbors 12 needs at least 13 dates, the stack has 12");
    EXPECT_EQ(message_of(pixels, {11, 3}), "lof: n_rows is 9, must be at least 11");
    pixels.data = nullptr;
    EXPECT_EQ(message_of(pixels, {3, 3}), "lof: pixels and scores must not be null");
}

#ifdef RASTERTIDE_TEST_OPENMP
constexpr std::int64_t kThreadsOfFour = 4;
#else
constexpr std::int64_t kThreadsOfFour = 1;  // a build without OpenMP has one thread whatever is asked
#endif

TEST(Lof, TheScratchIsWhatTheMemoryPlanCountsOn) {
    const std::int64_t one = lof_scratch_bytes(363, 1, {7, 10}, {Backend::Cpu, 1});
    EXPECT_GT(one, 1 << 20);
    EXPECT_LT(one, 16 << 20);
    EXPECT_EQ(lof_scratch_bytes(363, 1, {7, 10}, {Backend::Cpu, 4}), kThreadsOfFour * one);
}

TEST(Backends, CudaIsThereOrSaysWhyNot) {
    EXPECT_EQ(cuda_devices().empty(), !why_no_cuda().empty());
    if (why_no_cuda().empty()) {
        EXPECT_EQ(resolve_backend(Backend::Auto), Backend::Cuda);
        EXPECT_EQ(resolve_backend(Backend::Cuda), Backend::Cuda);
    } else {
        EXPECT_EQ(resolve_backend(Backend::Auto), Backend::Cpu);
        EXPECT_THROW(resolve_backend(Backend::Cuda), BackendUnavailable);
    }
    EXPECT_EQ(parse_backend("reference"), Backend::Reference);
    EXPECT_THROW(parse_backend("gpu"), InvalidArgument);
}

}  // namespace
}  // namespace rastertide
