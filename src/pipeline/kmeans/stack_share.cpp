// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/stack_share.hpp"

#include <algorithm>

#include "core/counter_random.hpp"
#include "core/rounding.hpp"

namespace rastertide {
namespace {

// Of locations: small, so that many places and dates are met, and large enough that halos weigh little.
constexpr std::int64_t kBlockRows = 16, kBlockCols = 128;
// Work enough for all threads, and little memory that a piece of few blocks does not use.
constexpr std::int64_t kBlocksOfPiece = 256;

// docs/design/07-kmeans-passes.md has what other sizes give. With fewer patches a pass over all is as quick.
constexpr std::int64_t kLeastStep = 16;
constexpr std::int64_t kLeastPatches = std::int64_t{1} << 20;
constexpr std::int64_t kMostValues = std::int64_t{1} << 25;

}  // namespace

StackShare::StackShare(const KMeansRun& run, std::int64_t step)
    : run_(run),
      step_(step),
      key_(random_key(run.options.seed, RandomStream::KMeansShare)),
      halo_(run.options.patch_size - 1) {}

void StackShare::add(const Tile& tile, const float* pixels) {
    if (step_ == 0) return;
    const Window& locations = tile.locations;
    const std::int64_t blocks_across = round_up(run_.series.grid().n_cols, kBlockCols) / kBlockCols;
    const std::int64_t date_values = run_.n_sample_bands() * tile.source.n_pixels();
    for (std::int64_t i = locations.row / kBlockRows; i * kBlockRows < locations.end_row(); ++i) {
        for (std::int64_t j = locations.col / kBlockCols; j * kBlockCols < locations.end_col(); ++j) {
            const Window block =
                intersect({j * kBlockCols, i * kBlockRows, kBlockCols, kBlockRows}, locations);
            const double drawn = random_of(key_, i * blocks_across + j);
            auto date = static_cast<std::int64_t>(drawn * static_cast<double>(step_));
            for (; date < run_.n_label_dates(); date += step_)
                add_block(tile, block, pixels + date * date_values);
        }
    }
}

void StackShare::add_block(const Tile& tile, const Window& locations, const float* pixels) {
    const std::int64_t n_rows = locations.n_rows + halo_, n_cols = locations.n_cols + halo_;
    float* to = next_block(n_rows, n_cols);
    const std::int64_t first = (locations.row - tile.locations.row) * tile.source.n_cols + locations.col -
                               tile.locations.col;  // of the block: the halo is around it
    for (std::int64_t band = 0; band < run_.n_sample_bands(); ++band) {
        const float* from = pixels + band * tile.source.n_pixels() + first;
        for (std::int64_t row = 0; row < n_rows; ++row)
            to = std::copy_n(from + row * tile.source.n_cols, n_cols, to);
    }
}

float* StackShare::next_block(std::int64_t n_rows, std::int64_t n_cols) {
    const std::int64_t n_values = run_.n_sample_bands() * n_rows * n_cols;
    auto piece = std::ranges::find_if(pieces_, [&](const Piece& p) {
        return p.n_rows == n_rows && p.n_cols == n_cols && p.n_blocks < kBlocksOfPiece;
    });
    if (piece == pieces_.end()) {
        const auto n = static_cast<std::size_t>(checked_mul(kBlocksOfPiece, n_values));
        pieces_.push_back({n_rows, n_cols, 0, std::make_unique_for_overwrite<float[]>(n)});
        piece = pieces_.end() - 1;
    }
    return piece->pixels.get() + piece->n_blocks++ * n_values;
}

std::int64_t StackShare::n_patches(std::int64_t place) const {
    const Piece& piece = pieces_[static_cast<std::size_t>(place)];
    return piece.n_blocks * (piece.n_rows - halo_) * (piece.n_cols - halo_);
}

std::int64_t StackShare::bytes() const {
    std::int64_t n_values = 0;
    for (const Piece& piece : pieces_) n_values += piece.n_blocks * piece.n_rows * piece.n_cols;
    return n_values * run_.n_sample_bands() * std::int64_t{sizeof(float)};
}

void StackShare::for_each(const Visit& visit) {
    for (std::int64_t place = 0; place < n_pieces(); ++place) {
        const Piece& piece = pieces_[static_cast<std::size_t>(place)];
        visit(place, {piece.pixels.get(), piece.n_blocks, run_.n_sample_bands(), piece.n_rows, piece.n_cols});
        throw_if_stopped();
    }
}

std::int64_t share_step(const RunKMeansOptions& options, std::int64_t n_sample_bands,
                        std::int64_t n_patches) {
    const bool starts_are_ours =
        options.algorithm == KMeansAlgorithm::Lloyd && options.init == KMeansInit::Sample;
    if (!starts_are_ours || options.time_features || !options.model_file.empty()) return 0;
    const std::int64_t most = std::max<std::int64_t>(kMostValues / n_sample_bands, 1);
    const std::int64_t step = std::max(kLeastStep, (n_patches + most - 1) / most);
    return n_patches / step < kLeastPatches ? 0 : step;
}

std::int64_t share_bytes(const RunKMeansOptions& options, std::int64_t n_sample_bands,
                         std::int64_t n_patches) {
    const std::int64_t step = share_step(options, n_sample_bands, n_patches);
    if (step == 0) return 0;
    const auto side = [](std::int64_t block, std::int64_t tile) {
        return static_cast<double>(tile > 0 ? std::min(block, tile) : block);
    };
    // Tiles cut some blocks, small ones all of them; ranks have not all the same; labels with margins are 4.
    const double halo = options.patch_size - 1;
    const double grown = (1 + halo / side(kBlockRows, options.tile_n_rows)) *
                         (1 + 2 * halo / side(kBlockCols, options.tile_n_cols));
    const double bytes_of_patch = 1.25 * (4 * grown * static_cast<double>(n_sample_bands) + 4);
    return static_cast<std::int64_t>(bytes_of_patch * static_cast<double>(n_patches / step));
}

}  // namespace rastertide
