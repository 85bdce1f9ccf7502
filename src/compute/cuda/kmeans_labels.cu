// SPDX-License-Identifier: Apache-2.0
// Scores ||c||^2 / 2 - <patch, c> as correlations of the image with each centre: a thread has kRun patches of
// a row and kCenterChunk centres at a time, and reads every image row once for all of them. Where floats
// cannot tell the nearest centre, distances in double do; the bound is that of
// compute/cpu/kmeans_label-inl.hpp.
#include <limits>

#include "compute/cuda/nearest_score.hpp"
#include "compute/cuda/window_sums.hpp"

namespace rastertide::cuda {
namespace {

// Two blocks of 6 warps a multiprocessor leave 168 registers a thread; chains of 40 multiply-adds need few
// warps.
constexpr int kThreads = kKMeansBlockRows * kKMeansBlockCols / kRun;
constexpr int kRunsOfRow = kKMeansBlockCols / kRun;

template <int kPatch>
struct KMeansShape {
    static constexpr int kMostPatch = kPatch > 0 ? kPatch : kMaxPatchSize;
    static constexpr int kImageRows = kKMeansBlockRows + kMostPatch - 1;
    static constexpr int kQuads = (kKMeansBlockCols + kMostPatch - 1 + 3) / 4;
    static constexpr int kImagePitch = kQuads * 4 + (kQuads % 2 == 0 ? 4 : 0);
    /// Whole vectors are loaded where there is room for them.
    static constexpr int kPitch = kPatch > 0 ? kChunkPitch : kCenterChunk;
};

/// What the threads of a block share: an image, and a chunk of centres of one band.
template <int kPatch>
struct KMeansTile {
    using Shape = KMeansShape<kPatch>;
    alignas(16) float image[Shape::kImageRows * Shape::kImagePitch];  ///< relative to the level
    alignas(16) float coefficients[Shape::kMostPatch * Shape::kMostPatch * Shape::kPitch];
};

/// The block's part of an image, relative to the level.
template <int kPatch>
__device__ __forceinline__ void load_image(const ImageStack& images, int band, int patch, float level,
                                           KMeansTile<kPatch>& tile) {
    using Shape = KMeansShape<kPatch>;
    const float* image = images.data +
                         (std::int64_t{blockIdx.z} * images.n_bands + band) * images.image_values() +
                         std::int64_t{blockIdx.y} * kKMeansBlockRows * images.pitch +
                         std::int64_t{blockIdx.x} * kKMeansBlockCols;
    const int row_quads = kPatch > 0 ? Shape::kQuads : (kKMeansBlockCols + patch - 1 + 3) / 4;
    const int n_quads = (kKMeansBlockRows + patch - 1) * row_quads;
    for (int place = static_cast<int>(threadIdx.x); place < n_quads; place += kThreads) {
        const int row = place / row_quads, quad = place % row_quads;
        float4 pixels = *reinterpret_cast<const float4*>(image + std::int64_t{row} * images.pitch + 4 * quad);
        pixels.x -= level;
        pixels.y -= level;
        pixels.z -= level;
        pixels.w -= level;
        *reinterpret_cast<float4*>(tile.image + row * Shape::kImagePitch + 4 * quad) = pixels;
    }
}

template <int kPatch>
__device__ __forceinline__ void load_coefficients(const DeviceCenters& centers, int chunk, int band,
                                                  int patch, KMeansTile<kPatch>& tile) {
    using Shape = KMeansShape<kPatch>;
    const int n_places = patch * patch;
    const float* from =
        centers.coefficients + (std::int64_t{chunk} * centers.n_bands + band) * n_places * kChunkPitch;
    for (int i = static_cast<int>(threadIdx.x); i < n_places * Shape::kPitch; i += kThreads)
        tile.coefficients[i] = from[i / Shape::kPitch * kChunkPitch + i % Shape::kPitch];
}

/// Of kRun patches with the centres of a chunk.
struct ChunkTerms {
    float terms[kCenterChunk][kRun];
    __device__ __forceinline__ void clear() {
        RASTERTIDE_UNROLL
        for (int c = 0; c < kCenterChunk; ++c) {
            RASTERTIDE_UNROLL
            for (int i = 0; i < kRun; ++i) terms[c][i] = 0;
        }
    }
};

/// Adds products of pixels and centres.
struct AddProducts {
    __device__ __forceinline__ static float term(float pixel, float center, float sum) {
        return fmaf(pixel, center, sum);
    }
};
/// Adds squared differences of pixels and centres.
struct AddSquares {
    __device__ __forceinline__ static float term(float pixel, float center, float sum) {
        const float difference = pixel - center;
        return fmaf(difference, difference, sum);
    }
};

/// Adds what one band has to the terms. @param each  (pixels of the run at one place of the patch)
template <int kPatch, class Add, class Each>
__device__ __forceinline__ void add_band(const KMeansTile<kPatch>& tile, int patch, ChunkTerms& sums,
                                         Each each) {
    using Shape = KMeansShape<kPatch>;
    constexpr int kPixels = kPatch > 0 ? kRun + kPatch - 1 : kRun;
    const int row = static_cast<int>(threadIdx.x) / kRunsOfRow;
    const int col = static_cast<int>(threadIdx.x) % kRunsOfRow * kRun;
    const float* line = tile.image + row * Shape::kImagePitch + col;
    const float* coefficients = tile.coefficients;
    const auto add_place = [&](const float* pixels) {
        RASTERTIDE_UNROLL
        for (int c = 0; c < kCenterChunk; ++c) {
            RASTERTIDE_UNROLL
            for (int i = 0; i < kRun; ++i)
                sums.terms[c][i] = Add::term(pixels[i], coefficients[c], sums.terms[c][i]);
        }
        each(pixels);
        coefficients += Shape::kPitch;
    };
    RASTERTIDE_KEEP_LOOP
    for (int dy = 0; dy < patch; ++dy, line += Shape::kImagePitch) {
        float pixels[kPixels];
        if constexpr (kPatch > 0) {
            RASTERTIDE_UNROLL
            for (int j = 0; j < kPixels; ++j) pixels[j] = line[j];
            RASTERTIDE_UNROLL
            for (int dx = 0; dx < kPatch; ++dx) add_place(pixels + dx);
        } else {
            for (int dx = 0; dx < patch; ++dx) {
                RASTERTIDE_UNROLL
                for (int i = 0; i < kRun; ++i) pixels[i] = line[dx + i];
                add_place(pixels);
            }
        }
    }
}

/// Goes through the centres chunk by chunk. @param each_place  (pixels, chunk) as in add_band()
/// @param take  (chunk, terms)
template <int kPatch, class Add, class EachPlace, class Take>
__device__ __forceinline__ void for_each_chunk(const ImageStack& images, const DeviceCenters& centers,
                                               KMeansTile<kPatch>& tile, EachPlace each_place, Take take) {
    const int patch = kPatch > 0 ? kPatch : centers.patch;
    for (int chunk = 0; chunk < centers.n_chunks(); ++chunk) {
        ChunkTerms sums;
        sums.clear();
        for (int band = 0; band < images.n_bands; ++band) {
            __syncthreads();  // what is there may still be read
            if (chunk == 0 || images.n_bands > 1)
                load_image<kPatch>(images, band, patch, centers.level, tile);
            load_coefficients<kPatch>(centers, chunk, band, patch, tile);
            __syncthreads();
            add_band<kPatch, Add>(tile, patch, sums, [&](const float* pixels) { each_place(pixels, chunk); });
        }
        take(chunk, sums);
    }
}

/// The first location of the thread's run.
struct KMeansPlace {
    int row, col;
    __device__ KMeansPlace()
        : row(static_cast<int>(blockIdx.y * kKMeansBlockRows + threadIdx.x / kRunsOfRow)),
          col(static_cast<int>(blockIdx.x * kKMeansBlockCols + threadIdx.x % kRunsOfRow * kRun)) {}
    __device__ std::int64_t in(const LocationGrid& locations) const {
        return (std::int64_t{blockIdx.z} * locations.padded_rows() + row) * locations.padded_cols() + col;
    }
};

template <int kPatch>
__global__ void __launch_bounds__(kThreads, 2)
    label_kernel(ImageStack images, LocationGrid locations, DeviceCenters centers, unsigned short* labels,
                 OpenPatches open) {
    using Tile = KMeansTile<kPatch>;
    RASTERTIDE_SHARED(Tile, tile);
    NearestScore scores[kRun];
    float squares[kRun] = {};
    for_each_chunk<kPatch, AddProducts>(
        images, centers, tile,
        [&](const float* pixels, int chunk) {
            if (chunk > 0) return;
            RASTERTIDE_UNROLL
            for (int i = 0; i < kRun; ++i) squares[i] = fmaf(pixels[i], pixels[i], squares[i]);
        },
        [&](int chunk, const ChunkTerms& sums) {
            RASTERTIDE_UNROLL
            for (int c = 0; c < kCenterChunk; ++c) {
                const int center = chunk * kCenterChunk + c;
                const float half_norm = centers.half_norms[center];
                RASTERTIDE_UNROLL
                for (int i = 0; i < kRun; ++i) scores[i].offer(half_norm - sums.terms[c][i], center + 1);
            }
        });
    const std::int64_t first = KMeansPlace().in(locations);
    unsigned packed[kRun / 2] = {};
    RASTERTIDE_UNROLL
    for (int i = 0; i < kRun; ++i) {
        const int label = scores[i].take(squares[i], first + i, centers, open);
        packed[i / 2] |= static_cast<unsigned>(label) << (16 * (i % 2));
    }
    *reinterpret_cast<uint4*>(labels + first) = make_uint4(packed[0], packed[1], packed[2], packed[3]);
}

constexpr int kSettleThreads = 128;
constexpr int kSettleBlocks = 1024;  ///< enough for any device; most end at once

/// The label of one patch by distances in double. @param patch  its first pixel in the first band
__device__ __forceinline__ int nearest_exactly(const float* patch, const ImageStack& images,
                                               const DeviceCenters& centers) {
    double least = std::numeric_limits<double>::infinity();
    int label = 0;
    const double* center = centers.exact;
    for (int k = 0; k < centers.n_clusters; ++k) {
        double sum = 0;
        for (int band = 0; band < centers.n_bands; ++band) {
            for (int y = 0; y < centers.patch; ++y) {
                const float* line = patch + band * images.image_values() + std::int64_t{y} * images.pitch;
                for (int x = 0; x < centers.patch; ++x, ++center) {
                    const double difference = static_cast<double>(line[x]) - *center;
                    sum = __dadd_rn(sum, __dmul_rn(difference, difference));
                }
            }
        }
        if (sum < least) {
            least = sum;
            label = k + 1;
        }
    }
    return label;
}

/// Labels of the listed patches by distances in double, in the order of the reference.
__global__ void __launch_bounds__(kSettleThreads)
    settle_kernel(ImageStack images, LocationGrid locations, DeviceCenters centers, unsigned short* labels,
                  OpenPatches open) {
    const unsigned n = *open.count, step = gridDim.x * kSettleThreads;
    const unsigned of_row = static_cast<unsigned>(locations.padded_cols());
    const unsigned of_date = static_cast<unsigned>(locations.n_padded());
    for (unsigned i = blockIdx.x * kSettleThreads + threadIdx.x; i < n; i += step) {
        const unsigned place = open.places[i];
        const unsigned date = place / of_date, row = place % of_date / of_row, col = place % of_row;
        const float* patch = images.data + std::int64_t{date} * images.n_bands * images.image_values() +
                             std::int64_t{row} * images.pitch + col;
        labels[place] = static_cast<unsigned short>(nearest_exactly(patch, images, centers));
    }
}

template <int kPatch>
__global__ void __launch_bounds__(kThreads, 2)
    distance_kernel(ImageStack images, LocationGrid locations, DeviceCenters centers, float* distances) {
    using Tile = KMeansTile<kPatch>;
    RASTERTIDE_SHARED(Tile, tile);
    float least[kRun];
    RASTERTIDE_UNROLL
    for (int i = 0; i < kRun; ++i) least[i] = std::numeric_limits<float>::quiet_NaN();
    for_each_chunk<kPatch, AddSquares>(
        images, centers, tile, [](const float*, int) {},
        [&](int chunk, const ChunkTerms& sums) {
            RASTERTIDE_UNROLL
            for (int c = 0; c < kCenterChunk; ++c) {
                if (chunk * kCenterChunk + c >= centers.n_clusters) continue;
                RASTERTIDE_UNROLL
                for (int i = 0; i < kRun; ++i) {
                    const float distance = sums.terms[c][i];
                    // NaN gives way to any distance; of a patch that holds one all distances are NaN.
                    least[i] = least[i] <= distance ? least[i] : distance;
                }
            }
        });
    float* to = distances + KMeansPlace().in(locations);
    RASTERTIDE_UNROLL
    for (int i = 0; i < kRun; ++i) to[i] = least[i];
}

dim3 blocks_of(const ImageStack& images, const LocationGrid& locations) {
    return dim3(static_cast<unsigned>(locations.n_block_cols()),
                static_cast<unsigned>(locations.n_block_rows()), static_cast<unsigned>(images.n_dates));
}

/// The place of a patch size's kernels in tables of them.
int kernel_of(int patch) { return patch <= kMostFixedPatch ? (patch + 1) / 2 : 0; }

}  // namespace

void label_patches(const ImageStack& images, const LocationGrid& locations, const DeviceCenters& centers,
                   unsigned short* labels, const OpenPatches& open, cudaStream_t stream) {
    constexpr void (*kKernels[])(ImageStack, LocationGrid, DeviceCenters, unsigned short*, OpenPatches) = {
        label_kernel<0>, label_kernel<1>, label_kernel<3>, label_kernel<5>, label_kernel<7>};
    check(cudaMemsetAsync(open.count, 0, sizeof(unsigned), stream), "cudaMemset");
    launch("label_kernel", kKernels[kernel_of(centers.patch)], blocks_of(images, locations), kThreads, stream,
           images, locations, centers, labels, open);
    settle_labels(images, locations, centers, labels, open, stream);
}

void settle_labels(const ImageStack& images, const LocationGrid& locations, const DeviceCenters& centers,
                   unsigned short* labels, const OpenPatches& open, cudaStream_t stream) {
    launch("settle_kernel", settle_kernel, dim3(kSettleBlocks), kSettleThreads, stream, images, locations,
           centers, labels, open);
}

void nearest_distances(const ImageStack& images, const LocationGrid& locations, const DeviceCenters& centers,
                       float* distances, cudaStream_t stream) {
    constexpr void (*kKernels[])(ImageStack, LocationGrid, DeviceCenters, float*) = {
        distance_kernel<0>, distance_kernel<1>, distance_kernel<3>, distance_kernel<5>, distance_kernel<7>};
    launch("distance_kernel", kKernels[kernel_of(centers.patch)], blocks_of(images, locations), kThreads,
           stream, images, locations, centers, distances);
}

}  // namespace rastertide::cuda
