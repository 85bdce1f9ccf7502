// SPDX-License-Identifier: Apache-2.0
// Decibels are those of long double, rounded.
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/backend.hpp>
#include <rastertide/core/error.hpp>

#include "core/decibels.hpp"

namespace rastertide {
namespace {

std::vector<float> decibels_of(std::vector<float> values) {
    to_decibels(values.data(), static_cast<std::int64_t>(values.size()));
    return values;
}

TEST(Decibels, AreTheNearestFloats) {
    std::mt19937 random(3);
    std::uniform_real_distribution<float> mantissa(1, 2);
    std::uniform_int_distribution<int> exponent(-140, 126);
    std::vector<float> values = {std::numeric_limits<float>::denorm_min(),
                                 std::numeric_limits<float>::max(),
                                 std::sqrt(0.5F),
                                 std::sqrt(2.0F),
                                 std::nextafter(1.0F, 0.0F),
                                 std::nextafter(1.0F, 2.0F)};
    for (int i = 0; i < 200000; ++i) values.push_back(std::ldexp(mantissa(random), exponent(random)));
    for (int i = 0; i < 50000; ++i) values.push_back(mantissa(random) / 1.5F);  // about 0 dB
    const std::vector<float> found = decibels_of(values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto expected = static_cast<double>(10 * std::log10(static_cast<long double>(values[i])));
        const auto nearest = static_cast<float>(expected);
        const float ulp = std::nextafter(std::abs(nearest), 1000.0F) - std::abs(nearest);
        ASSERT_LE(std::abs(static_cast<double>(found[i]) - expected), 0.5000001 * static_cast<double>(ulp))
            << values[i];
    }
}

class DecibelLevels : public testing::TestWithParam<const char*> {
  protected:
    void TearDown() override {
        unsetenv("RASTERTIDE_SIMD");
        simd_level();
    }
};

TEST_P(DecibelLevels, ChangeNoBit) {
    std::mt19937 random(5);
    std::vector<float> values;  // of every kind of bits, NaN and infinity included
    for (int i = 0; i < 200003; ++i)
        values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
    const std::vector<float> expected = decibels_of(values);
    setenv("RASTERTIDE_SIMD", GetParam(), 1);
    try {
        EXPECT_EQ(simd_level(), GetParam());
    } catch (const InvalidArgument& error) {
        GTEST_SKIP() << error.what();
    }
    const std::vector<float> found = decibels_of(values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(found[i]), std::bit_cast<std::uint32_t>(expected[i]))
            << values[i];
    }
}

INSTANTIATE_TEST_SUITE_P(Simd, DecibelLevels,
                         testing::Values("SCALAR", "SSE4", "AVX2", "AVX3", "AVX3_DL", "NEON"));

TEST(Decibels, PowersOfTenAreExact) {
    EXPECT_EQ(decibels_of({1, 10, 100, 1000, 1e10F}), (std::vector<float>{0, 10, 20, 30, 100}));
}

TEST(Decibels, WhatHasNoLogarithmIsNan) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const float value : decibels_of({0.0F, -0.0F, -1.0F, nan, -nan, -1e-40F})) {
        EXPECT_TRUE(std::isnan(value));
        EXPECT_FALSE(std::signbit(value)) << "kernels order distances as integers";
    }
}

}  // namespace
}  // namespace rastertide
