// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "compute/cuda/kmeans_kernels.hpp"

namespace rastertide::cuda {

/// The nearest centre of a patch, by scores.
struct NearestScore {
    float best = std::numeric_limits<float>::infinity(), second = std::numeric_limits<float>::infinity();
    int label = 0;

    __device__ __forceinline__ void offer(float score, int label_of_score) {
        const bool is_best = score < best;
        second = is_best ? best : fminf(second, score);
        label = is_best ? label_of_score : label;
        best = is_best ? score : best;
    }

    /// Lists the patch where floats cannot tell its label. @param square  of the patch, NaN where it holds
    /// one
    /// @param place  in the labels. @return its label, 0 where it has none
    __device__ __forceinline__ int take(float square, std::int64_t place, const DeviceCenters& centers,
                                        const OpenPatches& open) const {
        if (square != square) return 0;
        if (is_open(square, centers)) open.places[atomicAdd(open.count, 1U)] = static_cast<unsigned>(place);
        return label;
    }

  private:
    /// Floats cannot tell which centre is nearest. Also where a term is infinite.
    __device__ __forceinline__ bool is_open(float square, const DeviceCenters& centers) const {
        constexpr float kLeastTie = 1e-37F;  // products below are no normal numbers
        const float distance = fmaxf(fmaf(2.0F, best, square), 0.0F);
        const float bound =
            fmaf(centers.tie_of_square, square, fmaf(centers.tie_of_distance, distance, kLeastTie));
        return !(second - best > bound);
    }
};

}  // namespace rastertide::cuda
