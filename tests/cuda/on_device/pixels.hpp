// SPDX-License-Identifier: Apache-2.0
// Large stacks for the benchmarks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute/cuda/device_memory.hpp"
#include "compute/cuda/image_stack.hpp"

namespace rastertide::on_device {

/// Sizes of a benchmark: one band.
struct StackSize {
    std::int64_t n_dates, n_rows, n_cols;  ///< of locations
    int patch;

    double n_locations() const { return static_cast<double>(n_rows) * static_cast<double>(n_cols); }
    double n_patches() const { return static_cast<double>(n_dates) * n_locations(); }
    double n_pixels() const {
        return static_cast<double>(n_dates) * static_cast<double>(n_rows + patch - 1) *
               static_cast<double>(n_cols + patch - 1);
    }
    std::string text() const {
        return std::to_string(n_dates) + " dates of " + std::to_string(n_rows) + " x " +
               std::to_string(n_cols);
    }
    PixelStack pixels(const float* data) const {
        return {data, n_dates, 1, n_rows + patch - 1, n_cols + patch - 1, 0, 0};
    }
};

/// Pixels of a stack: four-look speckle of mean 1, another at every pixel and date; the dates after the first
/// n_distinct are copies of these.
std::vector<float> make_pixels(const StackSize& size, std::int64_t n_distinct);

/// Whether the host has room for so many bytes, with as much left to others.
bool host_has_room(double n_bytes);

/// The images of a stack on the device, in whole blocks of locations. @throws CudaFailure
cuda::ImageStack upload_images(const PixelStack& pixels, const cuda::LocationGrid& locations, int patch,
                               cuda::DeviceBuffer<float>& buffer);

}  // namespace rastertide::on_device
