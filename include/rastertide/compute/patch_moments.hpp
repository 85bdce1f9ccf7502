// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rastertide/compute/lof.hpp>
#include <rastertide/reduce/square_sum.hpp>

namespace rastertide {

/// Adds the squared norms, relative to fixed.offset, of all patches that hold no NaN: with the sums of the
/// clusters it gives the energy exactly,
///
///     sum ||p - c||^2 = sum ||p||^2 - 2 sum_k <c_k, S_k> + sum_k n_k ||c_k||^2.
///
/// A pixel is squared once and counted as often as valid patches cover it. The same bits for every thread
/// count and every way to cut tiles.
///
/// @param n_threads  0 = all cores
/// @return the number of these patches
/// @throws InvalidArgument  patch_size is not odd, 1 to 31, or the tile is smaller than a patch
std::int64_t add_patch_squares(const PixelStack& pixels, int patch_size, const FixedPoint& fixed,
                               SquareSum& squares, int n_threads = 0);

}  // namespace rastertide
