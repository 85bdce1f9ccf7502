// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rastertide/compute/lof.hpp>
#include <rastertide/reduce/patch_sums.hpp>
#include <rastertide/reduce/square_sum.hpp>

namespace rastertide {

/// Adds up all patches that hold no NaN: their number and sum, as one cluster, and their squared norms
/// relative to fixed.offset. With the sums of the clusters these give the energy exactly,
///
///     sum ||p - c||^2 = sum ||p||^2 - 2 sum_k <c_k, S_k> + sum_k n_k ||c_k||^2.
///
/// A pixel is squared once and counted as often as valid patches cover it. The same bits for every thread
/// count and every way to cut tiles.
///
/// @param squares, sums  are added to; `sums` has one cluster
/// @param n_threads      0 = all cores
/// @throws InvalidArgument  patch_size is not odd, 1 to 31, the tile is smaller than a patch, or `sums` has
/// other sizes
void add_patch_moments(const PixelStack& pixels, int patch_size, const FixedPoint& fixed, SquareSum& squares,
                       PatchSums& sums, int n_threads = 0);

}  // namespace rastertide
