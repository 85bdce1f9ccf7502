// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compute/cuda/device.hpp"

namespace rastertide::cuda {

/// cuBLAS, opened when it is first asked for: with the library that it needs itself it takes half a gigabyte,
/// which most runs can do without.
class Cublas {
  public:
    /// null where the library is not there: the kernels for patches do without, at a lower speed.
    static const Cublas* get();

    /// A handle in full Float32: no product in fewer bits, whatever the environment says. @throws CudaFailure
    void* create() const;
    void destroy(void* handle) const;

    /// products[i] = pixels[i] centers, with matrices by columns: pixels [n_features][n_patches] in memory,
    /// centers [n_clusters][n_features], products [n_clusters][n_patches]. @throws CudaFailure
    void multiply(void* handle, cudaStream_t stream, const float* pixels, const float* centers,
                  float* products, int n_patches, int n_features, int n_clusters, int n_dates) const;

  private:
    struct Functions;
    explicit Cublas(const Functions& functions) : functions_(functions) {}
    const Functions& functions_;
};

}  // namespace rastertide::cuda
