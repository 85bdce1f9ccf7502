// SPDX-License-Identifier: Apache-2.0
// The pixels of a block with the dates innermost.

#if defined(RASTERTIDE_LOF_PACK_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_LOF_PACK_INL_HPP
#undef RASTERTIDE_LOF_PACK_INL_HPP
#else
#define RASTERTIDE_LOF_PACK_INL_HPP
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <rastertide/compute/lof.hpp>

#include "compute/cpu/lof_networks-inl.hpp"
#include "compute/cpu/lof_plan.hpp"
#include "compute/cpu/lof_scratch.hpp"
#include "compute/cpu/lof_vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

/// A square of n columns of one row at kLanes dates, `plane` apart, on its way through the transpose.
struct PackSquare {
    alignas(64) float lines[kLanes][kLanes];

    /// Dates past the last one, which fill up its vector, are NaN: at no distance to anyone. The planes of
    /// the dates lie too far apart for the CPU to foresee: what is `ahead` is fetched already.
    HWY_INLINE void read(const float* from, std::int64_t plane, std::int64_t n_dates, std::int64_t n,
                         std::int64_t ahead) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            if (lane < n_dates) {
                hwy::Prefetch(from + lane * plane + ahead);
                std::copy_n(from + lane * plane, n, lines[lane]);
            } else {
                std::fill_n(lines[lane], n, std::numeric_limits<float>::quiet_NaN());
            }
        }
    }

    /// Writes column c to `to` + c * step. @return whether any of them is valid
    HWY_INLINE bool write(std::int64_t n, std::int64_t step, float* to) const {
        VU columns[kLanes];
        transpose(reinterpret_cast<const std::uint32_t*>(&lines[0][0]), kLanes, columns);
        auto valid = hn::FirstN(kF, 0);
        for (std::int64_t c = 0; c < n; ++c) {
            const VF column = hn::BitCast(kF, columns[c]);
            valid = hn::Or(valid, hn::Eq(column, column));
            hn::Store(column, kF, to + c * step);
        }
        return !hn::AllFalse(kF, valid);
    }
};

/// Copies a block's pixels to scratch.image. @return whether any pixel is valid
HWY_NOINLINE bool pack_image(const PixelStack& pixels, const LofPlan& plan, const Block& block,
                             const LofScratch& scratch) {
    const std::int64_t n_rows = plan.image_rows(block);
    const std::int64_t n_cols = plan.image_cols(block);
    const std::int64_t plane = pixels.n_rows * pixels.n_cols;
    const std::int64_t step = plan.n_bands * kLanes;
    float* to = scratch.image;
    bool any_valid = false;
    PackSquare square{};
    for (std::int64_t date = 0; date < plan.n_dates; date += kLanes) {
        for (std::int64_t row = 0; row < n_rows; ++row, to += n_cols * step) {
            for (std::int64_t band = 0; band < plan.n_bands; ++band) {
                const float* from = pixels.data + (date * plan.n_bands + band) * plane +
                                    (block.row + row) * pixels.n_cols + block.col;
                for (std::int64_t col = 0; col < n_cols; col += kLanes) {
                    const std::int64_t n = std::min(kLanes, n_cols - col);
                    square.read(from + col, plan.n_bands * plane, plan.n_dates - date, n, pixels.n_cols);
                    any_valid |= square.write(n, step, to + col * step + band * kLanes);
                }
            }
        }
    }
    return any_valid;
}

/// Copies the image at two dates to scratch.pair.
HWY_INLINE void pack_pair(const LofPlan& plan, const Block& block, std::int64_t date_0, std::int64_t date_1,
                          const LofScratch& scratch) {
    const std::int64_t n_pixels = plan.image_rows(block) * plan.image_cols(block) * plan.n_bands;
    const auto lane_of = [&](std::int64_t date) HWY_ATTR {
        return scratch.image + date / kLanes * n_pixels * kLanes + date % kLanes;
    };
    const float* image_0 = lane_of(date_0);
    const float* image_1 = lane_of(date_1);
    for (std::int64_t i = 0; i < n_pixels; ++i) {
        scratch.pair[2 * i] = image_0[i * kLanes];
        scratch.pair[2 * i + 1] = image_1[i * kLanes];
    }
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
