// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "driver/lazy_product.hpp"

namespace rastertide::plugin {

/// What is asked for at a lower resolution: a window of the raster in a grid of fewer pixels.
struct ViewShape {
    double col = 0, row = 0, width = 0, height = 0;  ///< of the window, in pixels of the raster
    std::int64_t n_cols = 0, n_rows = 0;
    BandRange bands;

    friend bool operator==(const ViewShape& a, const ViewShape& b) {
        return a.col == b.col && a.row == b.row && a.width == b.width && a.height == b.height &&
               a.n_cols == b.n_cols && a.n_rows == b.n_rows && a.bands.first == b.bands.first &&
               a.bands.count == b.bands.count;
    }
};

/// A view whose pixels are each computed at one location, the nearest, from coarse to fine until a time is
/// over. Pixels that are not computed yet show the nearest coarser one to their upper left.
class SampledView {
  public:
    using Clock = std::chrono::steady_clock;

    SampledView(LazyProduct& product, const ViewShape& shape);

    const ViewShape& shape() const { return shape_; }
    bool complete() const { return stride_ == 0; }
    /// Computes at least a few pixels, and goes on until the deadline. @param go_on  false: it ends at once
    void refine(Clock::time_point deadline, const std::function<bool()>& go_on);
    /// @return the value of a pixel of shape().bands
    float value(std::int64_t band, std::int64_t row, std::int64_t col) const;
    std::int64_t n_computed() const { return n_computed_; }
    std::int64_t n_pixels() const { return shape_.n_rows * shape_.n_cols; }

  private:
    std::int64_t location_col(std::int64_t col) const;
    std::int64_t location_row(std::int64_t row) const;
    void next_row();
    void compute_row_part(const std::function<bool()>& go_on);
    bool is_known(std::int64_t row, std::int64_t col) const {
        return known_[static_cast<std::size_t>(row * shape_.n_cols + col)] != 0;
    }
    void set_known(std::int64_t row, std::int64_t col) {
        known_[static_cast<std::size_t>(row * shape_.n_cols + col)] = 1;
    }
    float* value_at(std::int64_t band, std::int64_t row, std::int64_t col) {
        return values_.data() + (band * shape_.n_rows + row) * shape_.n_cols + col;
    }

    LazyProduct& product_;
    ViewShape shape_;
    std::vector<float> values_;        ///< [bands][n_rows][n_cols]
    std::vector<std::uint8_t> known_;  ///< [n_rows][n_cols]
    std::int64_t n_computed_ = 0;
    // Where the next pixels are: multiples of the stride, row by row.
    std::int64_t coarsest_ = 1;
    std::int64_t stride_ = 1;  ///< 0: all are known
    std::int64_t row_ = 0;
    std::int64_t col_ = 0;
};

}  // namespace rastertide::plugin
