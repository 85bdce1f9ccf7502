// SPDX-License-Identifier: Apache-2.0
// Sizes and places of everything a thread holds while it scores one block of locations. Plain arithmetic, the
// same for every instruction set but for the number of dates in a vector.
#pragma once

#include <cstdint>

#include <rastertide/compute/lof.hpp>

#include "core/rounding.hpp"

namespace rastertide::cpu {

/// Most lanes that a vector of dates has; arrays are laid out for it whatever the instruction set.
inline constexpr std::int64_t kMaxLanes = 16;

/// Runs of `patch` columns in a block: blocks are about eight columns wide.
constexpr std::int64_t runs_per_block(std::int64_t patch) { return patch < 8 ? 8 / patch : 1; }

/// Two dates share each load of the image.
inline constexpr std::int64_t kDatesPerPass = 2;

/// Bytes after the last record that may be written: a record is written with more than its k neighbours.
inline constexpr std::int64_t kRecordSlackBytes = 128;

/// Locations [row, row + n_rows) x [col, col + n_cols) of the tile, scored together.
struct Block {
    std::int64_t row = 0;
    std::int64_t col = 0;
    std::int64_t n_rows = 0;
    std::int64_t n_cols = 0;

    std::int64_t n_locations() const { return n_rows * n_cols; }
    bool operator==(const Block&) const = default;
};

/// How far a position in the raster lies into its run of `step`.
constexpr std::int64_t phase_of(std::int64_t position, std::int64_t step) {
    const std::int64_t phase = position % step;
    return phase < 0 ? phase + step : phase;
}

/// What is the same for every block of a call.
struct LofPlan {
    LofPlan(std::int64_t dates, std::int64_t bands, const LofParams& params, std::int64_t lanes);

    std::int64_t n_dates;
    std::int64_t n_bands;
    std::int64_t patch;
    std::int64_t k;
    std::int64_t n_lanes;
    std::int64_t n_slabs;     ///< vectors of n_lanes dates; the last one is filled up with NaN dates
    std::int64_t block_rows;  ///< of whole blocks; those at a tile's rim are smaller
    std::int64_t block_cols;
    std::int64_t distance_rows;  ///< rows of distances of a pass, filled up to whole groups of kMaxLanes
    std::int64_t distance_slab_floats;  ///< from one vector of dates to the next
    std::int64_t record_bytes;          ///< one date's neighbours: k distances, then k dates of 16 bits

    static constexpr std::int64_t record_bytes_of(std::int64_t k) {
        return round_up(k * static_cast<std::int64_t>(sizeof(float) + sizeof(std::uint16_t)), 16);
    }
    std::int64_t padded_dates() const { return n_slabs * n_lanes; }
    std::int64_t image_rows(const Block& block) const { return block.n_rows + patch - 1; }
    std::int64_t image_cols(const Block& block) const { return block.n_cols + patch - 1; }
    Block whole_block() const { return {0, 0, block_rows, block_cols}; }
    /// Whether there is code for this patch whose sizes are known when it is compiled.
    bool has_whole_blocks() const { return patch <= 11 && n_bands <= 2; }
    /// What distances are computed for: where there is such code the whole runs that a block at a tile's rim
    /// is a part of, which may begin before the tile and end after it; else the block itself.
    /// @param first_row, first_col  of the tile in the raster
    Block frame_of(const Block& block, std::int64_t first_row, std::int64_t first_col) const;
};

}  // namespace rastertide::cpu
