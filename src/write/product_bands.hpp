// SPDX-License-Identifier: Apache-2.0
// What the bands of all products say beside their pixels.
#pragma once

#include <cstdint>
#include <string>

#include <rastertide/write/mosaic.hpp>

namespace rastertide {

/// What a date is called in products: its ISO text, or "scene N" (from 1) in a stack without dates.
std::string date_label(const std::string& iso_date, std::int64_t index);

/// The band of a date. @param iso_date  may be empty
ProductBand date_band(const std::string& iso_date, std::int64_t index, MetadataItems items);

/// GDAL's STATISTICS_... of a band; none if no pixel is valid.
MetadataItems statistics_items(double min, double max, double mean, double std, std::int64_t n_valid,
                               std::int64_t n_pixels);

}  // namespace rastertide
