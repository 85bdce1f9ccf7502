// SPDX-License-Identifier: Apache-2.0
// The steps of K-Means on the device, for all locations of some dates of a tile.
#pragma once

#include "compute/cuda/device_memory.hpp"
#include "compute/cuda/image_stack.hpp"

namespace rastertide::cuda {

/// The kernels' block of locations of one date.
inline constexpr int kKMeansBlockRows = 24, kKMeansBlockCols = 64;

/// Centres whose scores a thread holds at a time, of kRun patches. 10 are two chunks without a gap.
inline constexpr int kCenterChunk = 5;
/// Numbers of a chunk at one place of a patch, as the kernels for fixed sizes load them.
inline constexpr int kChunkPitch = 8;

/// Centres on the device.
struct DeviceCenters {
    int n_clusters = 0, n_bands = 0, patch = 0;
    float level = 0;                      ///< that pixels and centres are taken relative to
    const float* coefficients = nullptr;  ///< [chunks][n_bands][p p][kChunkPitch]; 0 beyond the last
    const float* half_norms = nullptr;    ///< [chunks][kCenterChunk]: ||c||^2 / 2; infinite beyond the last
    const double* exact = nullptr;        ///< [n_clusters][n_bands][p p]: as given
    /// Scores that differ by no more may be in the wrong order: see compute/cpu/kmeans_label-inl.hpp.
    float tie_of_square = 0, tie_of_distance = 0;

    constexpr int n_chunks() const { return (n_clusters + kCenterChunk - 1) / kCenterChunk; }
    constexpr int n_features() const { return n_bands * patch * patch; }
};

/// Patches whose nearest centre floats cannot tell: few, so that they are listed.
struct OpenPatches {
    unsigned* places = nullptr;  ///< in the labels; room for all of them, in no fixed order
    unsigned* count = nullptr;
};

/// Labels, those of double precision. @param labels  [n_dates][padded_rows][padded_cols]; 0: holds a NaN
void label_patches(const ImageStack& images, const LocationGrid& locations, const DeviceCenters& centers,
                   unsigned short* labels, const OpenPatches& open, cudaStream_t stream);

/// The last step of label_patches(): labels of the listed patches.
void settle_labels(const ImageStack& images, const LocationGrid& locations, const DeviceCenters& centers,
                   unsigned short* labels, const OpenPatches& open, cudaStream_t stream);

/// Squared distances to the nearest centre. @param distances  [n_dates][padded_rows][padded_cols]
void nearest_distances(const ImageStack& images, const LocationGrid& locations, const DeviceCenters& centers,
                       float* distances, cudaStream_t stream);

/// Sums in fixed point, in several copies so that not all threads add to one.
struct DeviceSums {
    double offset = 0, scale = 1, most = 0;  ///< of FixedPoint
    int n_copies = 1;
    long long* copies = nullptr;  ///< [n_copies][n_clusters (counts) + n_clusters n_features]
    unsigned long long* n_changed = nullptr;
};

/// Moves patches whose label is another than in `old_labels` from one label's sums to the other's.
/// @param old_labels  as `labels`; null: no patch had one
void move_patches(const ImageStack& images, const LocationGrid& locations, const DeviceCenters& centers,
                  const unsigned short* old_labels, const unsigned short* labels, const DeviceSums& sums,
                  cudaStream_t stream);

}  // namespace rastertide::cuda
