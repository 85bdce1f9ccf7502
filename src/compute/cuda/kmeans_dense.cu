// SPDX-License-Identifier: Apache-2.0
// Labels of single pixels of many bands: products of all pixels and centres by cuBLAS, and the least score of
// each.
#include "compute/cuda/cublas.hpp"
#include "compute/cuda/kmeans_dense.hpp"
#include "compute/cuda/nearest_score.hpp"

namespace rastertide::cuda {
namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    subtract_level(std::int64_t n, const float* pixels, float level, float* relative) {
    const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
    if (i < n) relative[i] = pixels[i] - level;
}

/// @param pixels  [n_dates][n_bands][n], @param products  [n_dates][n_clusters][n]
__global__ void __launch_bounds__(kThreads)
    nearest_of_products(std::int64_t n, DeviceCenters centers, const float* pixels, const float* products,
                        unsigned short* labels, OpenPatches open) {
    const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
    if (i >= n) return;
    const std::int64_t date = blockIdx.y;
    float square = 0;
    for (int band = 0; band < centers.n_bands; ++band) {
        const float pixel = pixels[(date * centers.n_bands + band) * n + i];
        square = fmaf(pixel, pixel, square);
    }
    NearestScore nearest;
    for (int k = 0; k < centers.n_clusters; ++k)
        nearest.offer(centers.half_norms[k] - products[(date * centers.n_clusters + k) * n + i], k + 1);
    labels[date * n + i] = static_cast<unsigned short>(nearest.take(square, date * n + i, centers, open));
}

}  // namespace

void label_densely(const Cublas& cublas, void* handle, const ImageStack& images,
                   const LocationGrid& locations, const DeviceCenters& centers, const float* matrix,
                   const DenseArrays& arrays, unsigned short* labels, const OpenPatches& open,
                   cudaStream_t stream) {
    check(cudaMemsetAsync(open.count, 0, sizeof(unsigned), stream), "cudaMemset");
    const std::int64_t n = images.image_values();
    const float* pixels = images.data;
    if (centers.level != 0) {
        launch("subtract_level", subtract_level, dim3(n_blocks(images.n_values(), kThreads)), kThreads,
               stream, images.n_values(), images.data, centers.level, arrays.pixels);
        pixels = arrays.pixels;
    }
    cublas.multiply(handle, stream, pixels, matrix, arrays.products, static_cast<int>(n), centers.n_bands,
                    centers.n_clusters, images.n_dates);
    launch("nearest_of_products", nearest_of_products,
           dim3(n_blocks(n, kThreads), static_cast<unsigned>(images.n_dates)), kThreads, stream, n, centers,
           pixels, arrays.products, labels, open);
    settle_labels(images, locations, centers, labels, open, stream);
}

}  // namespace rastertide::cuda
