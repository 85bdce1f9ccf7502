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

/// Columns [first, end) of a line without pixels.
HWY_INLINE void fill_nan(std::int64_t first, std::int64_t end, std::int64_t step, float* to) {
    const VF nan = hn::Set(kF, std::numeric_limits<float>::quiet_NaN());
    for (std::int64_t col = first; col < end; ++col) hn::Store(nan, kF, to + col * step);
}

/// One row of the pixels under a frame: columns [first, end) lie in the tile, others are NaN.
struct PackRow {
    std::int64_t n_cols;
    std::int64_t first;
    std::int64_t end;
    std::int64_t step;  ///< floats from one column to the next in scratch.image

    PackRow(const PixelStack& pixels, const LofPlan& plan, const Block& frame, std::int64_t row)
        : n_cols(plan.image_cols(frame)),
          first(std::max<std::int64_t>(0, -frame.col)),
          end(std::min(n_cols, pixels.n_cols - frame.col)),
          step(plan.n_bands * kLanes) {
        if (frame.row + row < 0 || frame.row + row >= pixels.n_rows) end = first = 0;
    }
};

/// Copies the pixels under a frame, which may reach beyond the tile, to scratch.image.
/// @return whether any pixel is valid
HWY_NOINLINE bool pack_image(const PixelStack& pixels, const LofPlan& plan, const Block& frame,
                             const LofScratch& scratch) {
    const std::int64_t n_rows = plan.image_rows(frame);
    const std::int64_t plane = pixels.n_rows * pixels.n_cols;
    float* to = scratch.image;
    bool any_valid = false;
    PackSquare square{};
    for (std::int64_t date = 0; date < plan.n_dates; date += kLanes) {
        for (std::int64_t i = 0; i < n_rows; ++i) {
            const PackRow row(pixels, plan, frame, i);
            for (std::int64_t band = 0; band < plan.n_bands; ++band) {
                const std::int64_t from =
                    (date * plan.n_bands + band) * plane + (frame.row + i) * pixels.n_cols + frame.col;
                float* line = to + band * kLanes;
                fill_nan(0, row.first, row.step, line);
                for (std::int64_t col = row.first; col < row.end; col += kLanes) {
                    const std::int64_t n = std::min(kLanes, row.end - col);
                    square.read(pixels.data + (from + col), plan.n_bands * plane, plan.n_dates - date, n,
                                pixels.n_cols);
                    any_valid |= square.write(n, row.step, line + col * row.step);
                }
                fill_nan(row.end, row.n_cols, row.step, line);
            }
            to += row.n_cols * row.step;
        }
    }
    return any_valid;
}

/// Copies the image at two dates to scratch.pair.
HWY_INLINE void pack_pair(const LofPlan& plan, const Block& frame, std::int64_t date_0, std::int64_t date_1,
                          const LofScratch& scratch) {
    const std::int64_t n_pixels = plan.image_rows(frame) * plan.image_cols(frame) * plan.n_bands;
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
