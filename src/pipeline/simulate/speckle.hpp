// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace rastertide {

/// Fills `out` with the speckle of n_cols pixels of a row: gamma of mean 1 and variance 1 / looks,
/// independent from pixel to pixel and a function of (seed, date, row, col) alone.
///
/// Whole numbers of looks up to 32 are sums of exponentials, in loops that compilers vectorise; others go
/// through G. Marsaglia, W. W. Tsang: A simple method for generating gamma variables. ACM TOMS 26(3), 2000,
/// which is several times slower.
///
/// @param looks  > 0
void fill_speckle(std::uint64_t seed, std::int64_t date, std::int64_t row, std::int64_t first_col,
                  std::int64_t n_cols, double looks, float* out);

}  // namespace rastertide
