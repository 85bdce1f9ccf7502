// SPDX-License-Identifier: Apache-2.0
#include "driver/sampled_view.hpp"

#include <algorithm>
#include <cmath>

namespace rastertide::plugin {
namespace {

// Pixels of the coarsest step, which is computed whatever it costs, at most.
constexpr std::int64_t kFewest = 64;
// Patches that are computed side by side.
constexpr std::size_t kAtOnce = 64;

}  // namespace

SampledView::SampledView(LazyProduct& product, const ViewShape& shape)
    : product_(product),
      shape_(shape),
      values_(static_cast<std::size_t>(shape.bands.count * n_pixels()),
              static_cast<float>(product.layout().nodata)),
      known_(static_cast<std::size_t>(n_pixels()), 0) {
    const auto steps = [](std::int64_t n, std::int64_t stride) { return (n + stride - 1) / stride; };
    while (steps(shape_.n_rows, coarsest_) * steps(shape_.n_cols, coarsest_) > kFewest) coarsest_ *= 2;
    stride_ = coarsest_;
}

std::int64_t SampledView::location_col(std::int64_t col) const {
    const double at =
        shape_.col + (static_cast<double>(col) + 0.5) * shape_.width / static_cast<double>(shape_.n_cols);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(at)), 0, product_.grid().n_cols - 1);
}

std::int64_t SampledView::location_row(std::int64_t row) const {
    const double at =
        shape_.row + (static_cast<double>(row) + 0.5) * shape_.height / static_cast<double>(shape_.n_rows);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(at)), 0, product_.grid().n_rows - 1);
}

void SampledView::next_row() {
    col_ = 0;
    row_ += stride_;
    if (row_ < shape_.n_rows) return;
    row_ = 0;
    stride_ /= 2;
}

void SampledView::compute_row_part(const std::function<bool()>& go_on) {
    const Window& inner = product_.inner();
    const std::int64_t row = location_row(row_);
    std::vector<std::int64_t> wanted;     // columns of the view
    std::vector<std::int64_t> locations;  // and of the raster
    for (; col_ < shape_.n_cols && wanted.size() < kAtOnce; col_ += stride_) {
        if (is_known(row_, col_)) continue;
        const std::int64_t col = location_col(col_);
        if (intersect(inner, {col, row, 1, 1}).empty()) {
            set_known(row_, col_);  // nodata
            continue;
        }
        wanted.push_back(col_);
        locations.push_back(col);
    }
    if (!wanted.empty()) {
        std::vector<float> values(wanted.size() * static_cast<std::size_t>(shape_.bands.count));
        const std::size_t n = product_.compute_at(row, locations, shape_.bands, values.data(),
                                                  static_cast<std::int64_t>(wanted.size()), go_on);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::int64_t band = 0; band < shape_.bands.count; ++band)
                *value_at(band, row_, wanted[i]) = values[static_cast<std::size_t>(band) * wanted.size() + i];
            set_known(row_, wanted[i]);
        }
        n_computed_ += static_cast<std::int64_t>(n);
        if (n < wanted.size()) {
            col_ = wanted[n];
            return;
        }
    }
    if (col_ >= shape_.n_cols) next_row();
}

void SampledView::refine(Clock::time_point deadline, const std::function<bool()>& go_on) {
    const auto in_time = [&] { return Clock::now() < deadline && go_on(); };
    while (!complete()) {
        compute_row_part(in_time);
        // However short the time, there is something to show.
        if (!in_time() && (n_computed_ > 0 || !go_on())) return;
    }
}

float SampledView::value(std::int64_t band, std::int64_t row, std::int64_t col) const {
    for (std::int64_t stride = 1; stride <= coarsest_; stride *= 2) {
        const std::int64_t coarse_row = row - row % stride;
        const std::int64_t coarse_col = col - col % stride;
        if (is_known(coarse_row, coarse_col))
            return values_[static_cast<std::size_t>((band * shape_.n_rows + coarse_row) * shape_.n_cols +
                                                    coarse_col)];
    }
    return static_cast<float>(product_.layout().nodata);
}

}  // namespace rastertide::plugin
