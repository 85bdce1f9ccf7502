// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "pipeline/stack_run.hpp"

namespace rastertide {

/// A rank's tiles, gone through many times: those that fit the memory are read once, the next of the others
/// is read while one is worked on.
class TilePasses {
  public:
    /// @param place  of the tile in the list, the same in every pass
    using Visit = std::function<void(std::int64_t place, const Tile& tile, const float* pixels)>;

    /// @param tiles       that hold locations; others are left out
    /// @param keep_bytes  for pixels that stay
    TilePasses(StackRun& run, const std::vector<Tile>& tiles, std::int64_t keep_bytes);

    std::int64_t n_tiles() const { return static_cast<std::int64_t>(tiles_.size()); }
    const Tile& tile(std::int64_t place) const { return tiles_[static_cast<std::size_t>(place)]; }
    /// What is left of keep_bytes.
    std::int64_t free_bytes() const { return free_bytes_; }

    /// Not collective. @throws Error of reading, Stopped
    void for_each(const Visit& visit);

  private:
    float* buffer(std::int64_t place);
    std::int64_t next_to_read(std::int64_t place) const;

    StackRun& run_;
    std::vector<Tile> tiles_;
    // Null: read in every pass. Not on huge pages: each would be mappings of its own, which are limited.
    std::vector<std::unique_ptr<float[]>> kept_;
    std::vector<bool> is_read_;
    Buffer<float> slots_[2];
    int slot_ = 0;
    std::int64_t free_bytes_;
};

/// The tiles of a rank: in the plan's order, each goes to the rank that has least to read so far. Neighbours
/// mostly go to different ranks, as what margins save depends on what a tile shows.
std::vector<Tile> tiles_of_rank(const TilePlan& plan, int rank, int size);

}  // namespace rastertide
