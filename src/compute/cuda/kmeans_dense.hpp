// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compute/cuda/kmeans_kernels.hpp"

namespace rastertide::cuda {

class Cublas;

/// Single pixels of many bands share no work with their neighbours: their scores are a product of matrices.
inline bool is_dense(const DeviceCenters& centers) { return centers.patch == 1 && centers.n_bands >= 16; }

/// Memory of the device that label_densely() takes.
struct DenseArrays {
    float* pixels = nullptr;    ///< [n_dates][n_bands][n]: relative to the level
    float* products = nullptr;  ///< [n_dates][n_clusters][n]
};

/// label_patches() for single pixels. @param matrix  [n_clusters][n_bands]: the centres relative to the level
void label_densely(const Cublas& cublas, void* handle, const ImageStack& images,
                   const LocationGrid& locations, const DeviceCenters& centers, const float* matrix,
                   const DenseArrays& arrays, unsigned short* labels, const OpenPatches& open,
                   cudaStream_t stream);

}  // namespace rastertide::cuda
