// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>

#include <rastertide/compute/anomaly.hpp>

#include "core/parallel_for.hpp"

namespace rastertide {
namespace {

// A chunk's counts and maxima stay in the first cache while the dates stream by.
constexpr std::int64_t kChunkPixels = 2048;

struct Chunk {
    std::uint16_t n_valid[kChunkPixels];
    std::uint16_t count[kChunkPixels];
    std::uint16_t max_date[kChunkPixels];
    float max_score[kChunkPixels];
};

/// The largest Float32 that is not above the threshold: no Float32 lies between, so that the same scores are
/// above both.
float float_below(double threshold) {
    const auto nearest = static_cast<float>(threshold);
    return static_cast<double>(nearest) > threshold
               ? std::nextafter(nearest, -std::numeric_limits<float>::infinity())
               : nearest;
}

/// @return anomalies among the n scores
std::int64_t add_date(const float* scores, std::int64_t n, float threshold, std::uint16_t date,
                      std::uint8_t* mask, Chunk& chunk) {
    std::int64_t n_anomalies = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const std::uint16_t valid = scores[i] == scores[i] ? 1 : 0;
        const std::uint16_t anomalous = scores[i] > threshold ? 1 : 0;
        mask[i] = static_cast<std::uint8_t>(anomalous | ((1 - valid) * kMaskNodata));
        n_anomalies += anomalous;
        chunk.n_valid[i] = static_cast<std::uint16_t>(chunk.n_valid[i] + valid);
        chunk.count[i] = static_cast<std::uint16_t>(chunk.count[i] + anomalous);
    }
    for (std::int64_t i = 0; i < n; ++i) {
        // By masks: of branches the compiler makes no vectors.
        const std::uint32_t higher = scores[i] > chunk.max_score[i] ? ~0U : 0U;
        const auto score = std::bit_cast<std::uint32_t>(scores[i]);
        const auto before = std::bit_cast<std::uint32_t>(chunk.max_score[i]);
        chunk.max_score[i] = std::bit_cast<float>((score & higher) | (before & ~higher));
        chunk.max_date[i] = static_cast<std::uint16_t>((date & higher) | (chunk.max_date[i] & ~higher));
    }
    return n_anomalies;
}

void store(const Chunk& chunk, std::int64_t first, std::int64_t n, const AnomalyTile& out) {
    for (std::int64_t i = 0; i < n; ++i) {
        const bool valid = chunk.n_valid[i] > 0;
        out.count[first + i] = valid ? chunk.count[i] : kCountNodata;
        out.max_score[first + i] = valid ? chunk.max_score[i] : std::numeric_limits<float>::quiet_NaN();
        out.max_date[first + i] = valid ? chunk.max_date[i] : kDateNodata;
    }
}

}  // namespace

void find_anomalies(const float* scores, std::int64_t n_dates, std::int64_t n_pixels, double threshold,
                    const AnomalyTile& out, int n_threads) {
    const float float_threshold = float_below(threshold);
    parallel_for((n_pixels + kChunkPixels - 1) / kChunkPixels, n_threads, [&](std::int64_t i_chunk) {
        const std::int64_t first = i_chunk * kChunkPixels;
        const std::int64_t n = std::min(kChunkPixels, n_pixels - first);
        Chunk chunk{};
        std::fill_n(chunk.max_score, n, -std::numeric_limits<float>::infinity());
        for (std::int64_t date = 0; date < n_dates; ++date) {
            const std::int64_t offset = date * n_pixels + first;
            const std::int64_t n_anomalies =
                add_date(scores + offset, n, float_threshold, static_cast<std::uint16_t>(date + 1),
                         out.mask + offset, chunk);
            std::atomic_ref(out.date_counts[date]).fetch_add(n_anomalies, std::memory_order_relaxed);
        }
        store(chunk, first, n, out);
    });
}

}  // namespace rastertide
