// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <string>

#include <rastertide/core/checked.hpp>
#include <rastertide/core/error.hpp>
#include <rastertide/tile/tiling.hpp>

#include "core/rounding.hpp"

namespace rastertide {
namespace {

// Enough for the ranks of a few nodes to balance, few enough that a product is not a heap of small files.
constexpr std::int64_t kTargetTiles = 64;
// Below this the halo's blocks, and the end of each tile, where threads wait for the last block, cost
// percents.
constexpr std::int64_t kSmallTilePixels = 256 * 256;

struct TileShape {
    std::int64_t n_cols = 0;
    std::int64_t n_rows = 0;
};

std::string text(const TileShape& shape) {
    return std::to_string(shape.n_cols) + " x " + std::to_string(shape.n_rows);
}

std::string megabytes(std::int64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MB"; }

/// Pixels that are decoded to read a span of `n` plus halo along one axis, if the span starts at a block
/// border.
std::int64_t covered(std::int64_t n, std::int64_t halo, std::int64_t block, std::int64_t limit) {
    return std::min(limit, round_up(n, block) + (halo > 0 ? 2 * round_up(halo / 2, block) : 0));
}

/// What a pixel costs on average to read: decoded blocks, then copies of the halo. The kernel has halos of
/// its own; what tiles cost it at their rims is small where they are tall (row_unit).
double read_cost(const TileRequest& request, const TileShape& shape) {
    const std::int64_t halo = request.patch_size - 1;
    const double decoded =
        static_cast<double>(covered(shape.n_cols, halo, request.block_n_cols, request.n_cols)) *
        static_cast<double>(covered(shape.n_rows, halo, request.block_n_rows, request.n_rows));
    const double copied = static_cast<double>(shape.n_cols + halo) * static_cast<double>(shape.n_rows + halo);
    return (decoded + copied) / (static_cast<double>(shape.n_cols) * static_cast<double>(shape.n_rows));
}

/// The tallest tile of this width that keeps the budget and the wished area; whole blocks where it spans
/// some. Zero rows if even one row is over the budget.
TileShape tallest(const TileRequest& request, std::int64_t n_cols, std::int64_t wished_pixels) {
    const std::int64_t row_bytes = tile_bytes(request, n_cols, 1) - tile_bytes(request, n_cols, 0);
    const std::int64_t left = request.budget_bytes - tile_bytes(request, n_cols, 0);
    std::int64_t n_rows =
        left < row_bytes
            ? 0
            : std::min({left / row_bytes, request.n_rows, std::max<std::int64_t>(1, wished_pixels / n_cols)});
    // Whole blocks of the inputs and of the kernel where the tile spans some, else of one of them.
    const std::int64_t both = std::lcm(request.block_n_rows, request.row_unit);
    for (const std::int64_t unit : {both, request.block_n_rows, request.row_unit}) {
        if (n_rows >= request.n_rows || n_rows < 2 * unit) continue;
        n_rows = round_down(n_rows, unit);
        break;
    }
    return {n_cols, n_rows};
}

TileShape choose_shape(const TileRequest& request) {
    const std::int64_t full_width = round_up(request.n_cols, kColumnRun);
    const std::int64_t wished = std::max(kSmallTilePixels, full_width * request.n_rows / kTargetTiles);
    const std::int64_t block_width = round_up(request.block_n_cols, kColumnRun);

    std::vector<std::int64_t> widths = {full_width};
    for (std::int64_t width = block_width; width < full_width; width += block_width) widths.push_back(width);
    for (std::int64_t width = kColumnRun; width < full_width; width *= 2) widths.push_back(width);

    TileShape best;
    double best_cost = 0;
    for (const std::int64_t width : widths) {
        const TileShape shape = tallest(request, width, wished);
        if (shape.n_rows == 0) continue;
        const double cost = read_cost(request, shape);
        if (best.n_rows == 0 || cost < best_cost) {
            best = shape;
            best_cost = cost;
        }
    }
    if (best.n_rows == 0) {
        throw InvalidArgument("memory: the smallest tile (" + text({kColumnRun, 1}) + " pixels) takes " +
                              megabytes(tile_bytes(request, kColumnRun, 1)) + ", " +
                              megabytes(request.budget_bytes) + " are left for it; give more with -mem");
    }
    return best;
}

TileShape users_shape(const TileRequest& request) {
    const TileShape shape = {round_up(std::min(request.tile_n_cols, request.n_cols), kColumnRun),
                             std::min(request.tile_n_rows, request.n_rows)};
    const std::int64_t bytes = tile_bytes(request, shape.n_cols, shape.n_rows);
    if (bytes > request.budget_bytes) {
        throw InvalidArgument("-tile " + text(shape) + " takes " + megabytes(bytes) + ", " +
                              megabytes(request.budget_bytes) + " are left for a tile; give more with -mem");
    }
    return shape;
}

void check(const TileRequest& request) {
    if (request.patch_size > request.n_cols || request.patch_size > request.n_rows) {
        throw InvalidArgument("patch " + std::to_string(request.patch_size) +
                              " is larger than the raster of " + text({request.n_cols, request.n_rows}) +
                              " pixels");
    }
    if ((request.tile_n_cols > 0) != (request.tile_n_rows > 0) || request.tile_n_cols < 0) {
        throw InvalidArgument("-tile " + text({request.tile_n_cols, request.tile_n_rows}) +
                              ": both sizes must be positive");
    }
}

}  // namespace

std::int64_t tile_bytes(const TileRequest& request, std::int64_t n_cols, std::int64_t n_rows) {
    const std::int64_t halo = request.patch_size - 1;
    return checked_mul(n_cols + halo, n_rows + halo, request.bytes_per_source_pixel) +
           checked_mul(n_cols, n_rows, request.bytes_per_shard_pixel);
}

namespace {

/// Each rank lists all tiles, and each is a file. @throws InvalidArgument
void require_few_tiles(const TileRequest& request, const TilePlan& plan) {
    constexpr std::int64_t kMostTiles = std::int64_t{1} << 22;
    if (plan.n_tile_rows <= kMostTiles / plan.n_tile_cols) return;
    throw InvalidArgument("the raster of " + std::to_string(request.n_cols) + " x " +
                          std::to_string(request.n_rows) + " pixels has more than " +
                          std::to_string(kMostTiles) + " tiles of " + std::to_string(plan.tile_n_cols) +
                          " x " + std::to_string(plan.tile_n_rows) +
                          ": give larger ones (-tile, -mem) or a window (-projwin)");
}

}  // namespace

TilePlan make_tiles(const TileRequest& request) {
    check(request);
    const TileShape shape = request.tile_n_cols > 0 ? users_shape(request) : choose_shape(request);

    TilePlan plan;
    plan.tile_n_cols = shape.n_cols;
    plan.tile_n_rows = shape.n_rows;
    plan.n_tile_cols = round_up(request.n_cols, shape.n_cols) / shape.n_cols;
    plan.n_tile_rows = round_up(request.n_rows, shape.n_rows) / shape.n_rows;

    require_few_tiles(request, plan);

    const Window raster = {0, 0, request.n_cols, request.n_rows};
    const std::int64_t half = request.patch_size / 2;
    for (std::int64_t tile_row = 0; tile_row < plan.n_tile_rows; ++tile_row) {
        for (std::int64_t tile_col = 0; tile_col < plan.n_tile_cols; ++tile_col) {
            Tile tile;
            tile.tile_row = tile_row;
            tile.tile_col = tile_col;
            tile.shard = intersect(
                {tile_col * shape.n_cols, tile_row * shape.n_rows, shape.n_cols, shape.n_rows}, raster);
            tile.locations = intersect(tile.shard, raster.padded(-half));
            if (!tile.locations.empty()) tile.source = tile.locations.padded(half);
            plan.tiles.push_back(tile);
        }
    }
    return plan;
}

}  // namespace rastertide
