// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "read/shared_transformer.hpp"
#include "read/source.hpp"

namespace rastertide {

/// Where a grid's first pixel lies in another grid.
struct PixelOffset {
    std::int64_t col = 0;
    std::int64_t row = 0;

    friend bool operator==(const PixelOffset&, const PixelOffset&) = default;
};

/// The offset if the pixels of the two are the same pixels, up to the rounding of coefficients.
std::optional<PixelOffset> pixel_offset(const Grid& grid, const Grid& target);

/// The source as part of another grid with the same pixels; no value is changed, what lies outside is NaN.
std::unique_ptr<RasterSource> make_window_source(std::unique_ptr<RasterSource> source, const Grid& target,
                                                 const PixelOffset& offset);

/// The source resampled to another grid, exactly: every pixel is transformed by itself and the same for every
/// window. What the source does not cover is NaN.
/// @param grid         where the source lies; it has a geotransform and a CRS
/// @param resampling   a word of -r
/// @param transformer  between the two grids
/// @throws InvalidArgument  the source has no place in the target's CRS
std::unique_ptr<RasterSource> make_warped_source(std::unique_ptr<RasterSource> source, const Grid& grid,
                                                 const Grid& target, const std::string& resampling,
                                                 std::shared_ptr<SharedTransformer> transformer);

}  // namespace rastertide
