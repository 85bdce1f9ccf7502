// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/compute/patch_memory.hpp>

#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {

/// Assigns all patches to the centres of several fits, pass after pass. Labels are remembered of as many
/// tiles as memory allows: of these, only patches whose label changes cost a sum.
class TileAssigner {
  public:
    /// @param passes, comm  the tiles of this rank, and the ranks that have the others
    /// @param memory_bytes  for labels; 0 for a single pass
    TileAssigner(KMeansRun& run, Communicator& comm, TilePasses& passes, const FixedPoint& fixed,
                 std::vector<KMeansFit>& fits, std::int64_t memory_bytes);

    /// Sets the sums of the fits at these places of the list, of all ranks. Collective.
    void assign(const std::vector<std::size_t>& places);

  private:
    struct Memory {
        std::vector<PatchMemory> tiles;  ///< of the first tiles; the others are not remembered
        PatchSums sums;                  ///< of these
    };
    void assign_tile(std::int64_t place, const Tile& tile, const float* pixels, KMeansFit& fit,
                     Memory& memory) const;

    KMeansRun& run_;
    Communicator& comm_;
    TilePasses& passes_;
    FixedPoint fixed_;
    std::vector<KMeansFit>& fits_;
    std::vector<Memory> memories_;  // one a fit
};

}  // namespace rastertide
