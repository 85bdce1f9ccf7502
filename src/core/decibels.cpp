// SPDX-License-Identifier: Apache-2.0
// Compiled once for every instruction set: a loop without branches, of which the compiler makes vectors.
#include "core/decibels.hpp"

#include <bit>
#include <cstdint>

#include "core/simd_level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/decibels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rastertide::HWY_NAMESPACE {

void to_decibels_simd(float* values, std::int64_t n) {
    constexpr double kPerOctave = 3.0102999566398120;  // 10 log10(2)
    constexpr double kPerArtanh = 8.6858896380650366;  // 20 / ln(10)
    constexpr std::uint64_t kSqrtOfHalf = std::bit_cast<std::uint64_t>(0.70710678118654752);
    constexpr double kShift = 0x1.8p52;  // its last bits count ones
    constexpr std::uint32_t kNan = 0x7FC00000;
    for (std::int64_t i = 0; i < n; ++i) {
        const float value = values[i];
        const auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(value));
        const auto e = static_cast<std::uint64_t>(static_cast<std::int64_t>(bits - kSqrtOfHalf) >> 52);
        const auto m = std::bit_cast<double>(bits - (e << 52));
        const double octaves = std::bit_cast<double>(std::bit_cast<std::uint64_t>(kShift) + e) - kShift;
        const double s = (m - 1) / (m + 1);
        const double s2 = s * s;
        const double series =
            1 + s2 * (1.0 / 3 + s2 * (1.0 / 5 + s2 * (1.0 / 7 + s2 * (1.0 / 9 + s2 * (1.0 / 11 + s2 / 13)))));
        const auto result = static_cast<float>(octaves * kPerOctave + kPerArtanh * s * series);
        const std::uint32_t positive = value > 0 ? ~0U : 0U;
        values[i] =
            std::bit_cast<float>((std::bit_cast<std::uint32_t>(result) & positive) | (kNan & ~positive));
    }
}

}  // namespace rastertide::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rastertide {

HWY_EXPORT(to_decibels_simd);

void to_decibels(float* values, std::int64_t n) {
    apply_simd_level();
    HWY_DYNAMIC_DISPATCH(to_decibels_simd)(values, n);
}

}  // namespace rastertide
#endif
