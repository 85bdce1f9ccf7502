// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/patch_pieces.hpp"

namespace rastertide {

/// A share of a large stack, kept in memory, on which fits begin: of each block of locations every step()-th
/// date, from a date that is drawn. Blocks and dates belong to the raster and not to the tiles, so that all
/// ranks together have the same patches, whatever the tiles.
class StackShare final : public PatchPieces {
  public:
    /// @param step  one of so many dates of a block is kept; 0: none
    StackShare(const KMeansRun& run, std::int64_t step);

    std::int64_t step() const { return step_; }
    /// Keeps what the share has of a tile.
    void add(const Tile& tile, const float* pixels);
    /// Of the pixels.
    std::int64_t bytes() const;

    std::int64_t n_pieces() const override { return static_cast<std::int64_t>(pieces_.size()); }
    std::int64_t n_patches(std::int64_t place) const override;
    void for_each(const Visit& visit) override;

  private:
    /// Blocks of one size: most are whole, and those at the edges of tiles are cut.
    struct Piece {
        std::int64_t n_rows, n_cols;  ///< with their halo
        std::int64_t n_blocks;
        std::unique_ptr<float[]> pixels;  ///< [kBlocksOfPiece][bands][n_rows][n_cols]
    };
    void add_block(const Tile& tile, const Window& locations, const float* pixels);
    float* next_block(std::int64_t n_rows, std::int64_t n_cols);

    const KMeansRun& run_;
    std::int64_t step_;
    std::uint64_t key_;
    std::int64_t halo_;
    std::vector<Piece> pieces_;
};

/// The step of a run's share; 0 where no fit begins on one: the first centres are asked for, or a pass over
/// all patches takes no time. Depends on neither memory nor ranks, so that the result does not.
/// @param n_patches  of the raster at all dates, those with nodata included: their blocks are kept as well
std::int64_t share_step(const RunKMeansOptions& options, std::int64_t n_sample_bands, std::int64_t n_patches);
/// What the share takes on all ranks together, with room for the labels of one fit.
std::int64_t share_bytes(const RunKMeansOptions& options, std::int64_t n_sample_bands,
                         std::int64_t n_patches);

}  // namespace rastertide
