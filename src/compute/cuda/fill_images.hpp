// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>

#include "compute/cuda/image_stack.hpp"
#include "core/parallel_for.hpp"

namespace rastertide::cuda {

/// Copies rows [first_row, ...) of dates [first_date, ...) of a tile into images of these sizes.
/// @param to  [images.n_values()]
inline void fill_images(const PixelStack& pixels, std::int64_t first_date, std::int64_t first_row,
                        const LocationGrid& locations, const ImageStack& images, float* to, int n_threads) {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    const std::int64_t n_cols = std::min<std::int64_t>(images.pitch - locations.skip_cols, pixels.n_cols);
    parallel_for(std::int64_t{images.n_dates} * images.n_bands, n_threads, [&](std::int64_t image) {
        const float* from =
            pixels.data + (first_date * pixels.n_bands + image) * pixels.n_rows * pixels.n_cols;
        float* at = to + image * images.image_values();
        for (std::int64_t i = 0; i < images.n_rows; ++i) {
            float* const end = at + images.pitch;
            const std::int64_t row = first_row + i - locations.skip_rows;
            if (row >= first_row && row < pixels.n_rows) {
                at = std::fill_n(at, locations.skip_cols, kNaN);
                at = std::copy_n(from + row * pixels.n_cols, n_cols, at);
            }
            std::fill(at, end, kNaN);
            at = end;
        }
    });
}

}  // namespace rastertide::cuda
