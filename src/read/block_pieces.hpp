// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/grid/window.hpp>

#include "read/source.hpp"

namespace rastertide {

/// Cuts a window where the source's blocks end, so that each block is decoded once, into pieces whose values
/// of so many bands fit ReadScratch::kPieceBytes. A block that does not fit is cut into rows.
std::vector<Window> block_pieces(const Window& window, std::int64_t n_bands, const SourceInfo& source);

/// Where the first pixel of a piece of a window is in a band of that window.
inline float* pixels_of_piece(const Window& window, const Window& piece, float* band) {
    return band + (piece.row - window.row) * window.n_cols + piece.col - window.col;
}

}  // namespace rastertide
