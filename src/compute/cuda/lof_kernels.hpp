// SPDX-License-Identifier: Apache-2.0
// The steps of LOF on the device, for all locations of one part of a tile.
#pragma once

#include "compute/cuda/device_memory.hpp"
#include "compute/cuda/image_stack.hpp"

namespace rastertide::cuda {

/// Sizes of one part.
struct LofPart {
    ImageStack images;
    LocationGrid locations;
    int patch = 0, neighbors = 0;

    /// Of each pair of dates the nearest of a group is kept; the k-th nearest of these is a bound.
    int n_groups() const;
    /// Dates within the bound of which there is room; more are cut to the nearest when they come.
    int capacity() const;
    /// Neighbours that are looked for: with two found, three dates are valid.
    int n_wanted() const { return neighbors < 2 ? 2 : neighbors; }
};

/// The kernels' block of locations for a patch size.
int lof_block_rows(int patch);
inline constexpr int kLofBlockCols = 32;

/// Dates s that go through the search together; a multiple of what a block takes.
inline constexpr int kDatesAtATime = 128;

/// Device memory of a part, laid out by locations: place (row * padded_cols + col), n of them.
struct LofArrays {
    // Of kDatesAtATime dates s.
    float* minima = nullptr;              ///< [s][n_groups][n]: least squared distance of each group
    float* bounds = nullptr;              ///< [s][n]
    unsigned long long* found = nullptr;  ///< [s][capacity][n]: squared distance's bits << 32 | date
    int* n_found = nullptr;               ///< [s][n]
    // Of all dates.
    float* distances = nullptr;        ///< [n_dates][neighbors][n], nearest first
    unsigned short* dates = nullptr;   ///< [n_dates][neighbors][n]
    unsigned short* counts = nullptr;  ///< [n_dates][n]: neighbours; 0: the date has no score here
    float* k_distances = nullptr;      ///< [n_dates][n]: distance of the last neighbour
    float* densities = nullptr;        ///< [n_dates][n]: local reachability densities
};

/// The neighbours of every date at every location: distances, dates, counts, k_distances.
/// Ties go to the earlier date; a date whose patch holds a NaN is nobody's neighbour and has none.
void find_neighbors(const LofPart& part, const LofArrays& arrays, cudaStream_t stream);

/// From neighbours to scores. @param scores  [n_dates][n_rows][n_cols] of the part's locations
void score_neighbors(const LofPart& part, const LofArrays& arrays, float* scores, cudaStream_t stream);

}  // namespace rastertide::cuda
