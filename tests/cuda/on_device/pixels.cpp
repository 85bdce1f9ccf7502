// SPDX-License-Identifier: Apache-2.0
#include "pixels.hpp"

#include <algorithm>
#include <cmath>

#include <unistd.h>

#include "compute/cuda/fill_images.hpp"
#include "core/parallel_for.hpp"

namespace rastertide::on_device {
namespace {

/// SplitMix64 (Steele, Lea, Flood 2014): numbers by their place, so that threads share nothing.
std::uint64_t random_bits(std::uint64_t place) {
    std::uint64_t z = (place + 1) * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

/// The mean of four exponential variates: the logarithm of a product of four uniform ones.
float speckle_at(std::uint64_t place) {
    const std::uint64_t bits = random_bits(place);
    float product = 1;
    for (int look = 0; look < 4; ++look)
        product *= (static_cast<float>(bits >> (16 * look) & 0xFFFFU) + 0.5F) / 65536.0F;
    return -0.25F * std::log(product);
}

}  // namespace

std::vector<float> make_pixels(const StackSize& size, std::int64_t n_distinct) {
    const std::int64_t of_date = (size.n_rows + size.patch - 1) * (size.n_cols + size.patch - 1);
    std::vector<float> pixels(static_cast<std::size_t>(size.n_dates * of_date));
    const std::int64_t n_made = std::min(n_distinct, size.n_dates);
    parallel_for(n_made, 0, [&](std::int64_t date) {
        float* to = pixels.data() + date * of_date;
        for (std::int64_t i = 0; i < of_date; ++i)
            to[i] = speckle_at(static_cast<std::uint64_t>(date * of_date + i));
    });
    parallel_for(size.n_dates - n_made, 0, [&](std::int64_t i) {
        std::copy_n(pixels.data() + i % n_made * of_date, of_date, pixels.data() + (n_made + i) * of_date);
    });
    return pixels;
}

bool host_has_room(double n_bytes) {
    const double n_pages = static_cast<double>(sysconf(_SC_PHYS_PAGES));
    return 2 * n_bytes < n_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

cuda::ImageStack upload_images(const PixelStack& pixels, const cuda::LocationGrid& locations, int patch,
                               cuda::DeviceBuffer<float>& buffer) {
    cuda::ImageStack images = locations.images(pixels.n_dates, pixels.n_bands, patch);
    float* data = buffer.reserve(images.n_values());
    const cuda::ImageStack of_date = locations.images(1, pixels.n_bands, patch);
    std::vector<float> host(static_cast<std::size_t>(of_date.n_values()));
    for (std::int64_t date = 0; date < pixels.n_dates; ++date) {
        cuda::fill_images(pixels, date, 0, locations, of_date, host.data(), 0);
        cuda::check(cudaMemcpy(data + date * of_date.n_values(), host.data(), host.size() * sizeof(float),
                               cudaMemcpyHostToDevice),
                    "copy of the images to the device");
    }
    // A copy from pageable memory may still be under way, and streams here do not wait for it.
    cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    images.data = data;
    return images;
}

}  // namespace rastertide::on_device
