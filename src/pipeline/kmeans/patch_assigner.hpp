// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/compute/patch_memory.hpp>

#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/patch_pieces.hpp"

namespace rastertide {

/// Assigns all patches to the centres of several fits, pass after pass. Labels are remembered of as many
/// pieces as memory allows: of these, only patches whose label changes cost a sum.
class PatchAssigner {
  public:
    /// @param pieces, comm  the patches of this rank, and the ranks that have the others
    /// @param memory_bytes  for labels; 0 for a single pass
    /// @param stage         whose time this is
    PatchAssigner(const KMeansRun& run, Communicator& comm, PatchPieces& pieces, const FixedPoint& fixed,
                  std::vector<KMeansFit>& fits, std::int64_t memory_bytes, Stage stage);

    /// Sets the sums of the fits at these places of the list, of all ranks. Collective.
    void assign(const std::vector<std::size_t>& places);

  private:
    struct Memory {
        std::vector<PatchMemory> pieces;  ///< the first ones; the others are not remembered
        PatchSums sums;                   ///< of these
    };
    void assign_piece(std::int64_t place, const PixelStack& piece, KMeansFit& fit, Memory& memory) const;

    const KMeansRun& run_;
    Communicator& comm_;
    PatchPieces& pieces_;
    FixedPoint fixed_;
    std::vector<KMeansFit>& fits_;
    std::vector<Memory> memories_;  // one a fit
    Stage stage_;
};

}  // namespace rastertide
