// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include <rastertide/core/checked.hpp>

namespace rastertide {

/// A rectangle of pixels; (col, row) is its upper left pixel.
struct Window {
    std::int64_t col = 0;
    std::int64_t row = 0;
    std::int64_t n_cols = 0;
    std::int64_t n_rows = 0;

    std::int64_t end_col() const { return col + n_cols; }
    std::int64_t end_row() const { return row + n_rows; }
    std::int64_t n_pixels() const { return checked_mul(n_cols, n_rows); }
    bool empty() const { return n_cols <= 0 || n_rows <= 0; }

    /// Grown by `margin` pixels on every side (shrunk where it is negative).
    Window padded(std::int64_t margin) const {
        return {col - margin, row - margin, n_cols + 2 * margin, n_rows + 2 * margin};
    }

    friend bool operator==(const Window&, const Window&) = default;
};

/// The common part; empty (zero sizes) where the two do not meet.
inline Window intersect(const Window& a, const Window& b) {
    const std::int64_t col = std::max(a.col, b.col);
    const std::int64_t row = std::max(a.row, b.row);
    return {col, row, std::max<std::int64_t>(0, std::min(a.end_col(), b.end_col()) - col),
            std::max<std::int64_t>(0, std::min(a.end_row(), b.end_row()) - row)};
}

}  // namespace rastertide
