// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/grid/window.hpp>

namespace rastertide {

/// One task: the pixels of a raster that it writes, and those it needs to read.
struct Tile {
    std::int64_t tile_row = 0;  ///< position in the grid of tiles
    std::int64_t tile_col = 0;
    Window shard;      ///< pixels this tile writes; the shards of a plan partition the raster
    Window locations;  ///< the part of `shard` whose pixels are centres of whole patches; may be empty
    Window source;     ///< `locations` with its halo of patch/2 pixels: what is read; may be empty
};

struct TilePlan {
    std::int64_t tile_n_cols = 0;  ///< of every tile but those at the right and lower edge
    std::int64_t tile_n_rows = 0;
    std::int64_t n_tile_cols = 0;
    std::int64_t n_tile_rows = 0;
    std::vector<Tile> tiles;  ///< row by row
};

/// Columns of a raster belong to runs of this many, counted from column 0. Tiles are unions of whole runs, so
/// a sum over a run does not depend on the tiles (docs/design: determinism).
inline constexpr std::int64_t kColumnRun = 16;

struct TileRequest {
    std::int64_t n_cols = 0;  ///< raster size
    std::int64_t n_rows = 0;
    std::int64_t patch_size = 1;    ///< odd
    std::int64_t block_n_cols = 1;  ///< what the inputs read well; n_cols for strips
    std::int64_t block_n_rows = 1;
    std::int64_t row_unit = 1;  ///< rows that are computed together: tall tiles are multiples of it
    std::int64_t bytes_per_source_pixel =
        4;  ///< memory while a tile is computed, all copies: of a pixel that is read
    std::int64_t bytes_per_shard_pixel = 4;  ///< and of one that is written
    std::int64_t budget_bytes = 0;           ///< memory one tile may take
    std::int64_t tile_n_cols = 0;            ///< the user's -tile; 0 = choose
    std::int64_t tile_n_rows = 0;
};

/// Cuts a raster into tiles: aligned to the inputs' blocks where the budget allows, widths a multiple of
/// kColumnRun, about 64 tiles where the raster is large enough (so that ranks balance). Pure arithmetic on
/// the request: the plan never depends on the number of ranks or threads.
/// @throws InvalidArgument  patch larger than the raster; more than 2^22 tiles; the smallest tile, or the
/// user's, exceeds the budget
TilePlan make_tiles(const TileRequest& request);

/// Memory that a tile of this size takes under the request's costs.
std::int64_t tile_bytes(const TileRequest& request, std::int64_t n_cols, std::int64_t n_rows);

}  // namespace rastertide
