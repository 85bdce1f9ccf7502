// SPDX-License-Identifier: Apache-2.0
// Decibels are those of long double, rounded.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "read/decibels.hpp"

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
