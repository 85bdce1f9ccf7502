// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace rastertide {

/// Turns values into 10 log10(value), to the nearest Float32 but for cases within 1e-8 of the midst of two;
/// zero, negative values and NaN become NaN. The same bits on every machine and SIMD level, which no libc's
/// log10f promises. Infinity gives a number: it is no pixel.
///
/// With value = 2^e m and m in [sqrt(1/2), sqrt(2)): ln m = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.1716,
/// by seven terms of artanh's series; the next is below 1e-11 of it.
void to_decibels(float* values, std::int64_t n);

}  // namespace rastertide
