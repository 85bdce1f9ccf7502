// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "compute/cpu/lof_plan.hpp"
#include "core/large_buffer.hpp"

namespace rastertide::cpu {

/// What one thread needs to score a block: one allocation, cut into aligned arrays.
class LofScratch {
  public:
    explicit LofScratch(const LofPlan& plan);

    /// [n_slabs][image_rows][image_cols][n_bands][n_lanes]
    float* image;
    /// [image_rows][image_cols][n_bands][2]: the image at the two dates of a pass
    float* pair;
    /// [2][patch][block_cols][2][n_lanes]: horizontal sums of the last two runs of `patch` rows
    float* sums;
    /// [n_slabs] of distance_slab_floats, each [2][block_cols][block_rows][n_lanes]: squared distances of the
    /// two dates of a pass to every date
    float* distances;
    /// [n_dates][n_locations] of record_bytes: neighbours in the order in which they are found
    std::byte* records;
    /// [n_dates][n_locations]: neighbours found, 0 for a date that takes no part
    std::uint16_t* counts;
    /// [n_dates][n_locations]: distance to the last neighbour
    float* reach;
    /// [padded_dates]: one location's column of each
    std::uint16_t* location_counts;
    float* location_reach;
    /// [n_locations][padded_dates]
    float* scores;
    /// [padded_dates]
    double* densities;

    static std::int64_t bytes(const LofPlan& plan);

  private:
    Buffer<std::byte> memory_;
};

/// Scratch of the threads of one call: made when a thread first asks, kept for its next block.
class ScratchPool {
  public:
    explicit ScratchPool(const LofPlan& plan) : plan_(plan) {}

    std::unique_ptr<LofScratch> take();
    void give_back(std::unique_ptr<LofScratch> scratch);

  private:
    const LofPlan& plan_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<LofScratch>> idle_;
};

}  // namespace rastertide::cpu
