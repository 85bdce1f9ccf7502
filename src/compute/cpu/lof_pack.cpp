// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/lof_pack.hpp"

#include <limits>

namespace rastertide::cpu {
namespace {

/// One row of one band at one date; `to` is its first pixel's lane, `step` the floats to the next pixel.
bool pack_row(const float* from, std::int64_t n_cols, std::int64_t step, float* to) {
    bool any_valid = false;
    for (std::int64_t col = 0; col < n_cols; ++col) {
        any_valid |= from[col] == from[col];
        to[col * step] = from[col];
    }
    return any_valid;
}

}  // namespace

bool pack_image(const PixelStack& pixels, const LofPlan& plan, const Block& block,
                const LofScratch& scratch) {
    const std::int64_t n_rows = plan.image_rows(block);
    const std::int64_t n_cols = plan.image_cols(block);
    const std::int64_t slab_floats = n_rows * n_cols * plan.n_bands * plan.n_lanes;
    const std::int64_t plane = pixels.n_rows * pixels.n_cols;
    bool any_valid = false;
    for (std::int64_t row = 0; row < n_rows; ++row) {
        const float* from = pixels.data + (block.row + row) * pixels.n_cols + block.col;
        for (std::int64_t date = 0; date < plan.n_dates; ++date) {
            float* to = scratch.image + date / plan.n_lanes * slab_floats + date % plan.n_lanes +
                        row * n_cols * plan.n_bands * plan.n_lanes;
            for (std::int64_t band = 0; band < plan.n_bands; ++band) {
                any_valid |= pack_row(from + (date * plan.n_bands + band) * plane, n_cols,
                                      plan.n_bands * plan.n_lanes, to + band * plan.n_lanes);
            }
        }
    }
    // Dates that fill up the last vector are at no distance to anyone.
    float* last = scratch.image + (plan.n_slabs - 1) * slab_floats;
    for (std::int64_t i = 0; i < slab_floats; i += plan.n_lanes) {
        for (std::int64_t lane = plan.n_dates - (plan.n_slabs - 1) * plan.n_lanes; lane < plan.n_lanes;
             ++lane) {
            last[i + lane] = std::numeric_limits<float>::quiet_NaN();
        }
    }
    return any_valid;
}

void pack_pair(const LofPlan& plan, const Block& block, std::int64_t date_0, std::int64_t date_1,
               const LofScratch& scratch) {
    const std::int64_t n_pixels = plan.image_rows(block) * plan.image_cols(block) * plan.n_bands;
    const auto lane_of = [&](std::int64_t date) {
        return scratch.image + date / plan.n_lanes * n_pixels * plan.n_lanes + date % plan.n_lanes;
    };
    const float* image_0 = lane_of(date_0);
    const float* image_1 = lane_of(date_1);
    for (std::int64_t i = 0; i < n_pixels; ++i) {
        scratch.pair[2 * i] = image_0[i * plan.n_lanes];
        scratch.pair[2 * i + 1] = image_1[i * plan.n_lanes];
    }
}

}  // namespace rastertide::cpu
