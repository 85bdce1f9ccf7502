// SPDX-License-Identifier: Apache-2.0
#include "write/product_bands.hpp"

#include <cmath>

#include "core/number_text.hpp"

namespace rastertide {

std::string date_label(const std::string& iso_date, std::int64_t index) {
    return iso_date.empty() ? "scene " + std::to_string(index + 1) : iso_date;
}

ProductBand date_band(const std::string& iso_date, std::int64_t index, MetadataItems items) {
    if (!iso_date.empty()) items.insert(items.begin(), {"DATE", iso_date});
    return {date_label(iso_date, index), std::move(items)};
}

MetadataItems statistics_items(double min, double max, double mean, double std, std::int64_t n_valid,
                               std::int64_t n_pixels) {
    if (n_valid == 0) return {};
    const double percent = 100.0 * static_cast<double>(n_valid) / static_cast<double>(n_pixels);
    return {{"STATISTICS_MINIMUM", number_text(min)},
            {"STATISTICS_MAXIMUM", number_text(max)},
            {"STATISTICS_MEAN", number_text(mean)},
            {"STATISTICS_STDDEV", number_text(std)},
            {"STATISTICS_VALID_PERCENT", number_text(std::round(percent * 1e4) / 1e4)}};
}

}  // namespace rastertide
