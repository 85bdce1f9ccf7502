// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "compute/cuda/module.hpp"

namespace rastertide::cuda {

/// Neighbouring locations that a thread has.
inline constexpr int kRun = 8;

/// Images of one part of a tile on the device, filled up with NaN to whole blocks of locations: kernels read
/// their pixels, and those of the halo, without asking where the tile ends.
struct ImageStack {
    const float* data = nullptr;  ///< [n_dates][n_bands][n_rows][pitch]
    int n_dates = 0, n_bands = 0;
    int n_rows = 0, pitch = 0;  ///< of an image; rows begin at multiples of 16 bytes

    constexpr std::int64_t image_values() const { return std::int64_t{n_rows} * pitch; }
    constexpr std::int64_t n_values() const { return std::int64_t{n_dates} * n_bands * image_values(); }
};

/// Rows and columns of locations, and their part that is filled up to whole blocks.
struct LocationGrid {
    int n_rows = 0, n_cols = 0;
    int block_rows = 0, block_cols = 0;
    /// Rows and columns of NaN before the first location, so that blocks begin where a kernel wants it.
    int skip_rows = 0, skip_cols = 0;

    constexpr int n_block_rows() const { return (skip_rows + n_rows + block_rows - 1) / block_rows; }
    constexpr int n_block_cols() const { return (skip_cols + n_cols + block_cols - 1) / block_cols; }
    constexpr int padded_rows() const { return n_block_rows() * block_rows; }
    constexpr int padded_cols() const { return n_block_cols() * block_cols; }
    constexpr std::int64_t n_padded() const { return std::int64_t{padded_rows()} * padded_cols(); }

    /// Sizes of the images that hold the patches of all these locations.
    ImageStack images(std::int64_t n_dates, std::int64_t n_bands, int patch) const {
        const int halo = (patch - 1 + 3) / 4 * 4;  // whole quads of floats
        return {nullptr, static_cast<int>(n_dates), static_cast<int>(n_bands), padded_rows() + patch - 1,
                padded_cols() + halo};
    }
};

}  // namespace rastertide::cuda
