// SPDX-License-Identifier: Apache-2.0
// Which instruction sets are compiled. Included before Highway by every file that names one.
#pragma once

// Zen 4 and Ice Lake: compresses of bytes.
#define HWY_WANT_AVX3_DL
// Vectors of unknown length cannot be kept in arrays, as the networks do; SSSE3 alone has no 32-bit minimum.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
