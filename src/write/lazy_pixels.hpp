// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/write/lazy_labels.hpp>

namespace rastertide {

/// The bands of a date in the file of pixels, as GDAL numbers them.
class LazyPixelBands {
  public:
    LazyPixelBands(std::int64_t n_bands, std::int64_t i_date)
        : n_bands_(n_bands), first_(i_date * (n_bands + 1) + 1) {}
    std::int64_t values(std::int64_t i_band) const { return first_ + i_band; }
    std::int64_t valid() const { return first_ + n_bands_; }

  private:
    std::int64_t n_bands_;
    std::int64_t first_;
};

/// Writes a VRT of pixels less the level of their band (Float32, 0 where a nodata value says invalid), and
/// for each date a band of 1 where all its bands are valid, 0 or NaN elsewhere. No band declares nodata.
/// @param dates  [date][band]   @param levels  [band]
/// @throws IoError
void write_lazy_pixels(const std::string& path, const Grid& grid,
                       const std::vector<std::vector<LazyBand>>& dates, const std::vector<double>& levels);

}  // namespace rastertide
