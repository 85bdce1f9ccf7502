// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace rastertide {

inline constexpr std::uint8_t kMaskNodata = 255;
inline constexpr std::uint16_t kCountNodata = 65535;
inline constexpr std::uint16_t kDateNodata = 0;

/// Where the anomalies of a tile go; every array is the caller's.
struct AnomalyTile {
    std::uint8_t* mask =
        nullptr;  ///< [n_dates][n_pixels]: 1 where score > threshold, 0 where not, 255 where NaN
    std::uint16_t* count = nullptr;  ///< [n_pixels]: anomalous dates; 65535 where no date has a score
    float* max_score = nullptr;      ///< [n_pixels]: highest score; NaN where no date has one
    std::uint16_t* max_date =
        nullptr;  ///< [n_pixels]: its date as 1..n_dates, the earliest of equals; 0 where none
    std::int64_t* date_counts = nullptr;  ///< [n_dates]: anomalies of the date are added to it
};

/// Marks the scores above a threshold and reduces them over the dates.
/// @param scores    [n_dates][n_pixels], NaN = nodata; n_dates <= 65534
/// @param threshold compared in double
/// @param n_threads 0 = all cores; the result does not depend on it
void find_anomalies(const float* scores, std::int64_t n_dates, std::int64_t n_pixels, double threshold,
                    const AnomalyTile& out, int n_threads = 0);

}  // namespace rastertide
