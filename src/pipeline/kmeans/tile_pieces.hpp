// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/patch_pieces.hpp"

namespace rastertide {

/// The patches of a rank's tiles, a tile a piece.
class TilePieces final : public PatchPieces {
  public:
    TilePieces(const KMeansRun& run, TilePasses& passes) : run_(run), passes_(passes) {}

    std::int64_t n_pieces() const override { return passes_.n_tiles(); }
    std::int64_t n_patches(std::int64_t place) const override {
        return run_.n_label_values(passes_.tile(place));
    }
    void for_each(const Visit& visit) override {
        passes_.for_each([&](std::int64_t place, const Tile& tile, const float* pixels) {
            visit(place, run_.stack(tile, pixels));
        });
    }

  private:
    const KMeansRun& run_;
    TilePasses& passes_;
};

}  // namespace rastertide
