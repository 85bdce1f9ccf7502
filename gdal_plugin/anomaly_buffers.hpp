// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/compute/anomaly.hpp>

namespace rastertide::plugin {

/// What find_anomalies() makes of the scores of a tile.
struct AnomalyBuffers {
    AnomalyBuffers(const float* scores, std::int64_t n_dates, std::int64_t n_pixels, double threshold,
                   int n_threads)
        : mask(static_cast<std::size_t>(n_dates * n_pixels)),
          count(static_cast<std::size_t>(n_pixels)),
          max_score(static_cast<std::size_t>(n_pixels)),
          max_date(static_cast<std::size_t>(n_pixels)) {
        std::vector<std::int64_t> date_counts(static_cast<std::size_t>(n_dates));
        find_anomalies(scores, n_dates, n_pixels, threshold,
                       {mask.data(), count.data(), max_score.data(), max_date.data(), date_counts.data()},
                       n_threads);
    }

    std::vector<std::uint8_t> mask;
    std::vector<std::uint16_t> count;
    std::vector<float> max_score;
    std::vector<std::uint16_t> max_date;
};

}  // namespace rastertide::plugin
