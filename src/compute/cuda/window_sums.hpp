// SPDX-License-Identifier: Apache-2.0
// Sums over windows of a few values that a thread holds. Nothing is subtracted, so that a NaN stays within
// the windows that hold it, and the order of the terms does not depend on where a window lies: a location's
// distances are the same in any tile.
#pragma once

#include "compute/cuda/device.hpp"

namespace rastertide::cuda {

/// Neighbouring outputs of one thread.
inline constexpr int kRun = 8;

/// Patch sizes with kernels of their own; for others kPatch is 0, and the size is known when the kernel runs.
inline constexpr int kMostFixedPatch = 7;

/// sums[i] = values[i] + ... + values[i + kPatch - 1]. Pairs and fours are shared by all windows.
template <int kPatch>
__device__ __forceinline__ void window_sums(const float (&values)[kRun + kPatch - 1], float (&sums)[kRun]) {
    static_assert(kPatch == 1 || kPatch == 3 || kPatch == 5 || kPatch == 7);
    if constexpr (kPatch == 1) {
        RASTERTIDE_UNROLL
        for (int i = 0; i < kRun; ++i) sums[i] = values[i];
    } else {
        constexpr int kPairs = kRun + kPatch - 2;
        float pairs[kPairs];
        RASTERTIDE_UNROLL
        for (int i = 0; i < kPairs; ++i) pairs[i] = values[i] + values[i + 1];
        RASTERTIDE_UNROLL
        for (int i = 0; i < kRun; ++i) {
            if constexpr (kPatch == 3) sums[i] = pairs[i] + values[i + 2];
            if constexpr (kPatch == 5) sums[i] = (pairs[i] + pairs[i + 2]) + values[i + 4];
            if constexpr (kPatch == 7) sums[i] = (pairs[i] + pairs[i + 2]) + (pairs[i + 4] + values[i + 6]);
        }
    }
}

/// The same for a window size that is known late: value j goes to all sums that it belongs to.
/// @param value  (j): is asked for j = 0 .. kRun + patch - 2, once each
template <class Value>
__device__ __forceinline__ void window_sums(int patch, Value value, float (&sums)[kRun]) {
    RASTERTIDE_UNROLL
    for (int i = 0; i < kRun; ++i) sums[i] = 0;
    for (int j = 0; j < kRun + patch - 1; ++j) {
        const float v = value(j);
        RASTERTIDE_UNROLL
        for (int i = 0; i < kRun; ++i) {
            if (i <= j && j < i + patch) sums[i] += v;
        }
    }
}

}  // namespace rastertide::cuda
