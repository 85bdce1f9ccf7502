// SPDX-License-Identifier: Apache-2.0
// Sums of the patches of each label, in integers: the same in any order. A warp has a row of patches and its
// lanes have features; patches side by side that move between the same labels are added up in registers
// first.
#include "compute/cuda/kmeans_kernels.hpp"

namespace rastertide::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kLaneFeatures = 2;  ///< that a lane has at a time
constexpr unsigned kAllLanes = 0xFFFFFFFFU;

/// FixedPoint::to_integer().
__device__ __forceinline__ long long to_integer(float value, const DeviceSums& sums) {
    const double scaled = __dmul_rn(static_cast<double>(value) - sums.offset, sums.scale);
    return __double2ll_rn(fmin(fmax(scaled, -sums.most), sums.most));
}

__device__ __forceinline__ void add(long long* to, long long value) {
    atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
}

/// Patches side by side that move from one label to another, and what a lane has summed of them.
struct Move {
    int from = 0, to = 0;
    long long n = 0;
    long long sums[kLaneFeatures] = {};
};

/// The features of a lane, in one round of them.
struct LaneFeatures {
    int round, lane, n_features, n_clusters;
    __device__ int feature(int j) const { return (round * kLaneFeatures + j) * 32 + lane; }

    __device__ __forceinline__ void add_to_label(const Move& move, int label, long long sign,
                                                 long long* state) const {
        if (label == 0) return;
        if (round == 0 && lane == 0) add(state + label - 1, sign * move.n);
        RASTERTIDE_UNROLL
        for (int j = 0; j < kLaneFeatures; ++j) {
            if (feature(j) >= n_features) continue;
            add(state + n_clusters + std::int64_t{label - 1} * n_features + feature(j), sign * move.sums[j]);
        }
    }
    __device__ __forceinline__ void end(Move& move, long long* state) const {
        if (move.n == 0) return;
        add_to_label(move, move.from, -1, state);
        add_to_label(move, move.to, 1, state);
        move = Move();
    }
};

/// Places of a lane's features relative to a patch's first pixel.
struct FeaturePlaces {
    std::int64_t offsets[kLaneFeatures];
    __device__ FeaturePlaces(const LaneFeatures& features, const ImageStack& images, int patch) {
        RASTERTIDE_UNROLL
        for (int j = 0; j < kLaneFeatures; ++j) {
            const int feature = features.feature(j), place = feature % (patch * patch);
            offsets[j] = feature / (patch * patch) * images.image_values() +
                         std::int64_t{place / patch} * images.pitch + place % patch;
        }
    }
};

__global__ void __launch_bounds__(32 * kWarps)
    move_kernel(ImageStack images, LocationGrid locations, int patch, int n_clusters, int n_features,
                const unsigned short* old_labels, const unsigned short* labels, DeviceSums sums) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t line = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
    if (line >= std::int64_t{images.n_dates} * locations.n_rows) return;
    const std::int64_t date = line / locations.n_rows, row = line % locations.n_rows;
    const std::int64_t first_label = (date * locations.padded_rows() + row) * locations.padded_cols();
    const float* first_pixel =
        images.data + date * images.n_bands * images.image_values() + row * images.pitch;
    const std::int64_t n_state = std::int64_t{n_clusters} * (n_features + 1);
    long long* state = sums.copies + blockIdx.x % static_cast<unsigned>(sums.n_copies) * n_state;
    unsigned long long n_changed = 0;
    for (LaneFeatures features{0, lane, n_features, n_clusters};
         features.round * kLaneFeatures * 32 < n_features; ++features.round) {
        const FeaturePlaces places(features, images, patch);
        Move move;
        for (int first = 0; first < locations.n_cols; first += 32) {
            const bool inside = first + lane < locations.n_cols;
            const std::int64_t place = first_label + first + lane;
            const int from = inside && old_labels != nullptr ? old_labels[place] : 0;
            const int to = inside ? labels[place] : 0;
            unsigned changed = __ballot_sync(kAllLanes, from != to);
            if (features.round == 0) n_changed += static_cast<unsigned long long>(__popc(changed));
            while (changed != 0) {
                const int bit = __ffs(static_cast<int>(changed)) - 1;
                changed &= changed - 1;
                const int patch_from = __shfl_sync(kAllLanes, from, bit);
                const int patch_to = __shfl_sync(kAllLanes, to, bit);
                if (patch_from != move.from || patch_to != move.to) {
                    features.end(move, state);
                    move.from = patch_from;
                    move.to = patch_to;
                }
                ++move.n;
                RASTERTIDE_UNROLL
                for (int j = 0; j < kLaneFeatures; ++j) {
                    if (features.feature(j) >= n_features) continue;
                    move.sums[j] += to_integer(first_pixel[places.offsets[j] + first + bit], sums);
                }
            }
        }
        features.end(move, state);
    }
    if (lane == 0 && n_changed > 0) atomicAdd(sums.n_changed, n_changed);
}

constexpr int kAddThreads = 128;

/// All copies into the first.
__global__ void __launch_bounds__(kAddThreads) add_copies(std::int64_t n_state, DeviceSums sums) {
    const std::int64_t i = std::int64_t{blockIdx.x} * kAddThreads + threadIdx.x;
    if (i >= n_state) return;
    long long sum = 0;
    for (int copy = 0; copy < sums.n_copies; ++copy) sum += sums.copies[copy * n_state + i];
    sums.copies[i] = sum;
}

}  // namespace

void move_patches(const ImageStack& images, const LocationGrid& locations, const DeviceCenters& centers,
                  const unsigned short* old_labels, const unsigned short* labels, const DeviceSums& sums,
                  cudaStream_t stream) {
    const std::int64_t n_lines = std::int64_t{images.n_dates} * locations.n_rows;
    launch("move_kernel", move_kernel, dim3(n_blocks(n_lines, kWarps)), 32 * kWarps, stream, images,
           locations, centers.patch, centers.n_clusters, centers.n_features(), old_labels, labels, sums);
    const std::int64_t n_state = std::int64_t{centers.n_clusters} * (centers.n_features() + 1);
    launch("add_copies", add_copies, dim3(n_blocks(n_state, kAddThreads)), kAddThreads, stream, n_state,
           sums);
}

}  // namespace rastertide::cuda
