// SPDX-License-Identifier: Apache-2.0
// Sums over windows of a few values that a thread holds. Nothing is subtracted, so that a NaN stays within
// the windows that hold it. The order of a window's terms depends on its place in the run: runs begin at
// multiples of kRun in the raster, so that a location's distances are the same in any tile.
#pragma once

#include "compute/cuda/device.hpp"
#include "compute/cuda/image_stack.hpp"

namespace rastertide::cuda {

/// Patch sizes with kernels of their own; for others kPatch is 0, and the size is known when the kernel runs.
inline constexpr int kMostFixedPatch = 7;

/// What is summed: values as they are, or their squares, in the multiply-adds.
struct AddValues {
    __device__ __forceinline__ static float first(float value) { return value; }
    __device__ __forceinline__ static float add(float sum, float value) { return sum + value; }
};
struct AddSquaresOf {
    __device__ __forceinline__ static float first(float value) { return value * value; }
    __device__ __forceinline__ static float add(float sum, float value) { return fmaf(value, value, sum); }
};

/// sums[i] over values[i] ... values[i + kPatch - 1]: a window is the end of one block of kPatch values and
/// the beginning of the next (van Herk 1992), each summed once.
template <int kPatch, class Add>
__device__ __forceinline__ void window_sums(const float (&values)[kRun + kPatch - 1], float (&sums)[kRun]) {
    constexpr int kInputs = kRun + kPatch - 1;
    float begins[kInputs], ends[kInputs];
    RASTERTIDE_UNROLL
    for (int j = 0; j < kInputs; ++j)
        begins[j] = j % kPatch == 0 ? Add::first(values[j]) : Add::add(begins[j - 1], values[j]);
    RASTERTIDE_UNROLL
    for (int j = kInputs - 1; j >= 0; --j)
        ends[j] = j % kPatch == kPatch - 1 || j == kInputs - 1 ? Add::first(values[j])
                                                               : Add::add(ends[j + 1], values[j]);
    RASTERTIDE_UNROLL
    for (int i = 0; i < kRun; ++i) sums[i] = i % kPatch == 0 ? ends[i] : ends[i] + begins[i + kPatch - 1];
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
