// SPDX-License-Identifier: Apache-2.0
#include "read/block_pieces.hpp"

#include <algorithm>

#include "core/rounding.hpp"

namespace rastertide {
namespace {

struct Step {
    std::int64_t n_cols;
    std::int64_t n_rows;
};

/// Many blocks below each other, else beside each other, else a part of one.
Step step_of(const Window& window, std::int64_t most_pixels, const SourceInfo& source) {
    const std::int64_t block_n_cols = source.block_n_cols;
    const std::int64_t block_n_rows = source.block_n_rows;
    const std::int64_t width = round_up(window.end_col(), block_n_cols);  // no cut within a row of blocks
    if (window.n_cols * block_n_rows <= most_pixels) {
        return {width, round_down(most_pixels / window.n_cols, block_n_rows)};
    }
    const std::int64_t n_beside = most_pixels / block_n_rows / block_n_cols;
    if (n_beside > 0) return {n_beside * block_n_cols, block_n_rows};
    const std::int64_t n_cols = std::min(block_n_cols, window.n_cols);
    return {block_n_cols, std::max<std::int64_t>(1, most_pixels / n_cols)};
}

}  // namespace

std::vector<Window> block_pieces(const Window& window, std::int64_t n_bands, const SourceInfo& source) {
    const std::int64_t most_pixels =
        std::max<std::int64_t>(1, ReadScratch::kPieceBytes / std::int64_t{sizeof(float)} / n_bands);
    const Step step = step_of(window, most_pixels, source);
    std::vector<Window> pieces;
    for (std::int64_t row = window.row; row < window.end_row();) {
        const std::int64_t end_row = std::min(window.end_row(), (row / step.n_rows + 1) * step.n_rows);
        for (std::int64_t col = window.col; col < window.end_col();) {
            const std::int64_t end_col = std::min(window.end_col(), (col / step.n_cols + 1) * step.n_cols);
            pieces.push_back({col, row, end_col - col, end_row - row});
            col = end_col;
        }
        row = end_row;
    }
    return pieces;
}

}  // namespace rastertide
