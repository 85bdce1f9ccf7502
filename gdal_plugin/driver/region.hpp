// SPDX-License-Identifier: Apache-2.0
// Values on their way to a reader's memory.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <gdal.h>

#include <rastertide/grid/window.hpp>

#include "driver/product_calculator.hpp"

namespace rastertide::plugin {

/// Where a reader wants values: band i of those asked for, row, col at data + i * band_space + row *
/// line_space + col * pixel_space.
struct ReadTarget {
    void* data = nullptr;
    GDALDataType type = GDT_Unknown;
    GSpacing pixel_space = 0, line_space = 0, band_space = 0;  ///< in bytes

    void* at(std::size_t i_band, std::int64_t row, std::int64_t col) const {
        return static_cast<GByte*>(data) + static_cast<GSpacing>(i_band) * band_space + row * line_space +
               col * pixel_space;
    }
};

/// Values of a window, the last that were computed.
struct ComputedRegion {
    Window window;
    BandRange bands;
    std::vector<float> values;  ///< [bands][window]

    const float* at(std::int64_t band, std::int64_t row, std::int64_t col) const {
        return values.data() + (band - bands.first) * window.n_pixels() + (row - window.row) * window.n_cols +
               (col - window.col);
    }
};

/// Whether whoever waits for a reading wants it to go on; told how much of it is done, 0 to 1.
using GoOn = std::function<bool(double)>;

}  // namespace rastertide::plugin
