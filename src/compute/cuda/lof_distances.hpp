// SPDX-License-Identifier: Apache-2.0
// Squared distances of the patches of a block of locations: box sums of squared differences of two images.
//
// A block takes kDates dates s and goes through all dates t. A thread first sums squared differences along
// kRun neighbouring windows of one image row, then, of these sums, along kRun rows of one column: every
// squared difference is formed once, and no patch is.
#pragma once

#include "compute/cuda/device.hpp"
#include "compute/cuda/image_stack.hpp"
#include "compute/cuda/window_sums.hpp"

namespace rastertide::cuda {

/// Dates s of a block: they share the loads of the other date's image.
inline constexpr int kDates = 2;

/// Sizes of a block, for patches of kPatch pixels, or up to kMaxPatchSize for 0.
template <int kPatch>
struct LofShape {
    static constexpr int kMostPatch = kPatch > 0 ? kPatch : kMaxPatchSize;
    static constexpr int kCols = 32;
    static constexpr int kRows = kPatch > 0 ? 24 : 32;  ///< of locations
    static constexpr int kImageRows = kRows + kMostPatch - 1;
    static constexpr int kQuads = (kCols + kMostPatch - 1 + 3) / 4;  ///< of an image row
    /// Quads of neighbouring rows begin in different banks.
    static constexpr int kImagePitch = kQuads * 4 + (kQuads % 2 == 0 ? 4 : 0);
    static constexpr int kSumPitch = kCols + 4;
    static constexpr int kRunsOfRow = kCols / kRun;
    static constexpr int kSumWarps = kRows / kRun;         ///< that sum along columns
    static constexpr int kThreads = 32 * (kSumWarps + 1);  ///< the last warp helps with the halo's rows
    /// Blocks of a multiprocessor: four small ones wait less for each other's barriers than two of 56 rows.
    static constexpr int kBlocks = kPatch > 0 ? 4 : 2;
    static constexpr int kLoads = (kImageRows * kQuads + kThreads - 1) / kThreads;
};

/// What the threads of a block share.
template <int kPatch>
struct LofTile {
    using Shape = LofShape<kPatch>;
    alignas(16) float image[Shape::kImageRows * Shape::kImagePitch];  ///< of date t
    /// Sums along rows, of each date s.
    alignas(16) float row_sums[kDates][Shape::kImageRows * Shape::kSumPitch];
};

/// Where a block is.
struct LofBlock {
    int row, col;       ///< its first location
    int dates[kDates];  ///< s
};

/// The order in which dates t are gone through: group g holds g, g + n_groups, ... Neighbours in time fall
/// into different groups.
struct DateSteps {
    int date = 0, group = 0;
    __device__ void next(int n_groups, int n_dates) {
        date += n_groups;
        if (date >= n_dates) date = ++group;
    }
};

/// An image's pixels on their way from global to shared memory: asked for early, stored late.
template <int kPatch>
class ImageLoad {
    using Shape = LofShape<kPatch>;

  public:
    __device__ __forceinline__ ImageLoad(const ImageStack& images, const LofBlock& block, int patch)
        : first_(images.data + std::int64_t{block.row} * images.pitch + block.col) {
        const int row_quads = kPatch > 0 ? Shape::kQuads : (Shape::kCols + patch - 1 + 3) / 4;
        const int n_quads = (Shape::kRows + patch - 1) * row_quads;
        RASTERTIDE_UNROLL
        for (int i = 0; i < Shape::kLoads; ++i) {
            const int place = i * Shape::kThreads + static_cast<int>(threadIdx.x);
            const int row = place / row_quads, quad = place % row_quads;
            from_[i] = place < n_quads ? row * images.pitch + 4 * quad : -1;
            to_[i] = row * Shape::kImagePitch + 4 * quad;
        }
    }
    __device__ __forceinline__ void begin(const ImageStack& images, int date, int band) {
        const float* image = first_ + std::int64_t{date * images.n_bands + band} * images.image_values();
        RASTERTIDE_UNROLL
        for (int i = 0; i < Shape::kLoads; ++i) {
            if (from_[i] >= 0) quads_[i] = *reinterpret_cast<const float4*>(image + from_[i]);
        }
    }
    __device__ __forceinline__ void end(LofTile<kPatch>& tile) const {
        RASTERTIDE_UNROLL
        for (int i = 0; i < Shape::kLoads; ++i) {
            if (from_[i] >= 0) *reinterpret_cast<float4*>(tile.image + to_[i]) = quads_[i];
        }
    }

  private:
    const float* first_;
    int from_[Shape::kLoads], to_[Shape::kLoads];  ///< of the thread's quads; from -1: there is none
    float4 quads_[Shape::kLoads];
};

/// The pixels of the dates s in one run of windows.
template <int kPatch>
struct OwnPixels {
    static constexpr int kInputs = kRun + LofShape<kPatch>::kMostPatch - 1;
    float values[kDates][kPatch > 0 ? kInputs : 1];

    __device__ __forceinline__ void load(const ImageStack& images, const LofBlock& block, int row, int col,
                                         int band) {
        RASTERTIDE_UNROLL
        for (int s = 0; s < kDates; ++s) {
            const float* line = pixels(images, block, s, row, col, band);
            RASTERTIDE_UNROLL
            for (int j = 0; j < kInputs; ++j) values[s][j] = line[j];
        }
    }
    static __device__ __forceinline__ const float* pixels(const ImageStack& images, const LofBlock& block,
                                                          int s, int row, int col, int band) {
        return images.data + (std::int64_t{block.dates[s]} * images.n_bands + band) * images.image_values() +
               std::int64_t{block.row + row} * images.pitch + block.col + col;
    }
};

/// Sums along one run of windows of an image row, into tile.row_sums; added to those of the bands before.
template <int kPatch>
__device__ __forceinline__ void sum_run(const ImageStack& images, const LofBlock& block, int patch, int band,
                                        int row, int col, const OwnPixels<kPatch>& own,
                                        LofTile<kPatch>& tile) {
    using Shape = LofShape<kPatch>;
    const float* line = tile.image + row * Shape::kImagePitch + col;
    float pixels[kPatch > 0 ? kRun + kPatch - 1 : 1];
    if constexpr (kPatch > 0) {
        RASTERTIDE_UNROLL
        for (int j = 0; j < kRun + kPatch - 1; ++j) pixels[j] = line[j];
    }
    RASTERTIDE_UNROLL
    for (int s = 0; s < kDates; ++s) {
        float sums[kRun];
        if constexpr (kPatch > 0) {
            float differences[kRun + kPatch - 1];
            RASTERTIDE_UNROLL
            for (int j = 0; j < kRun + kPatch - 1; ++j) differences[j] = pixels[j] - own.values[s][j];
            window_sums<kPatch, AddSquaresOf>(differences, sums);
        } else {
            const float* mine = OwnPixels<kPatch>::pixels(images, block, s, row, col, band);
            window_sums(
                patch,
                [&](int j) {
                    const float difference = line[j] - mine[j];
                    return difference * difference;
                },
                sums);
        }
        float* to = tile.row_sums[s] + row * Shape::kSumPitch + col;
        RASTERTIDE_UNROLL
        for (int i = 0; i < kRun; ++i) to[i] = band == 0 ? sums[i] : to[i] + sums[i];
    }
}

/// Sums kRun windows along a column of the sums along rows.
template <int kPatch>
__device__ __forceinline__ void sum_column(const LofTile<kPatch>& tile, int s, int patch, int row, int col,
                                           float (&sums)[kRun]) {
    using Shape = LofShape<kPatch>;
    const float* column = tile.row_sums[s] + row * Shape::kSumPitch + col;
    if constexpr (kPatch > 0) {
        float values[kRun + kPatch - 1];
        RASTERTIDE_UNROLL
        for (int j = 0; j < kRun + kPatch - 1; ++j) values[j] = column[j * Shape::kSumPitch];
        window_sums<kPatch, AddValues>(values, sums);
    } else {
        window_sums(
            patch, [&](int j) { return column[j * Shape::kSumPitch]; }, sums);
    }
}

/// Goes through all dates t in the order of DateSteps, those of the block left out for themselves.
/// @param visit      (s, t, distances): squared, of dates block.dates[s] and t, at kRun locations below each
///                   other, the first at row kRun * warp, column lane of the block; NaN where a patch holds
///                   one
/// @param end_group  (group): after the last date of each group
template <int kPatch, class Visit, class EndGroup>
__device__ __forceinline__ void for_each_distance(const ImageStack& images, const LofBlock& block, int patch,
                                                  int n_groups, LofTile<kPatch>& tile, Visit visit,
                                                  EndGroup end_group) {
    using Shape = LofShape<kPatch>;
    const int thread = static_cast<int>(threadIdx.x);
    const int n_runs = (Shape::kRows + patch - 1) * Shape::kRunsOfRow;
    const int run_row = thread / Shape::kRunsOfRow, run_col = thread % Shape::kRunsOfRow * kRun;
    OwnPixels<kPatch> own;
    if constexpr (kPatch > 0) {
        if (images.n_bands == 1 && thread < n_runs) own.load(images, block, run_row, run_col, 0);
    }
    ImageLoad<kPatch> load(images, block, patch);
    DateSteps now;
    int band = 0;
    load.begin(images, now.date, band);
    load.end(tile);
    __syncthreads();
    for (;;) {
        const bool is_last_band = band + 1 == images.n_bands;
        const int next_band = is_last_band ? 0 : band + 1;
        DateSteps next = now;
        if (is_last_band) next.next(n_groups, images.n_dates);
        const bool is_last = next.group == n_groups;
        if (!is_last) load.begin(images, next.date, next_band);
        if constexpr (kPatch > 0) {
            if (thread < n_runs) {
                if (images.n_bands > 1) own.load(images, block, run_row, run_col, band);
                sum_run<kPatch>(images, block, patch, band, run_row, run_col, own, tile);
            }
        } else {
            for (int run = thread; run < n_runs; run += Shape::kThreads) {
                sum_run<kPatch>(images, block, patch, band, run / Shape::kRunsOfRow,
                                run % Shape::kRunsOfRow * kRun, own, tile);
            }
        }
        __syncthreads();
        if (!is_last) load.end(tile);
        const int warp = thread / 32;
        if (is_last_band && warp < Shape::kSumWarps) {
            RASTERTIDE_UNROLL
            for (int s = 0; s < kDates; ++s) {
                if (now.date == block.dates[s]) continue;
                float distances[kRun];
                sum_column<kPatch>(tile, s, patch, kRun * warp, thread % 32, distances);
                visit(s, now.date, distances);
            }
            if (next.group != now.group) end_group(now.group);
        }
        __syncthreads();
        if (is_last) break;
        now = next;
        band = next_band;
    }
}

}  // namespace rastertide::cuda
