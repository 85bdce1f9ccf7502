// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
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

/// @return anomalies among the n scores
std::int64_t add_date(const float* scores, std::int64_t n, double threshold, std::uint16_t date,
                      std::uint8_t* mask, Chunk& chunk) {
    std::int64_t n_anomalies = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const float score = scores[i];
        const bool valid = score == score;
        const bool anomalous = static_cast<double>(score) > threshold;
        mask[i] = valid ? (anomalous ? 1 : 0) : kMaskNodata;
        n_anomalies += anomalous ? 1 : 0;
        chunk.n_valid[i] = static_cast<std::uint16_t>(chunk.n_valid[i] + (valid ? 1 : 0));
        chunk.count[i] = static_cast<std::uint16_t>(chunk.count[i] + (anomalous ? 1 : 0));
        const bool higher = score > chunk.max_score[i];
        chunk.max_score[i] = higher ? score : chunk.max_score[i];
        chunk.max_date[i] = higher ? date : chunk.max_date[i];
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
    parallel_for((n_pixels + kChunkPixels - 1) / kChunkPixels, n_threads, [&](std::int64_t i_chunk) {
        const std::int64_t first = i_chunk * kChunkPixels;
        const std::int64_t n = std::min(kChunkPixels, n_pixels - first);
        Chunk chunk{};
        std::fill_n(chunk.max_score, n, -std::numeric_limits<float>::infinity());
        for (std::int64_t date = 0; date < n_dates; ++date) {
            const std::int64_t offset = date * n_pixels + first;
            const std::int64_t n_anomalies =
                add_date(scores + offset, n, threshold, static_cast<std::uint16_t>(date + 1),
                         out.mask + offset, chunk);
            std::atomic_ref(out.date_counts[date]).fetch_add(n_anomalies, std::memory_order_relaxed);
        }
        store(chunk, first, n, out);
    });
}

}  // namespace rastertide
