// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <mutex>
#include <numeric>

#include <rastertide/core/error.hpp>
#include <rastertide/reduce/score_histogram.hpp>

#include "core/parallel_for.hpp"

namespace rastertide {

ScoreHistogram ScoreHistogram::fine(std::int64_t coarse_bin) {
    ScoreHistogram histogram;
    histogram.coarse_bin_ = coarse_bin;
    return histogram;
}

void ScoreHistogram::add(const float* scores, std::int64_t n, int n_threads) {
    constexpr std::int64_t kChunk = 1 << 22;
    std::mutex merge;
    parallel_for((n + kChunk - 1) / kChunk, n_threads, [&](std::int64_t chunk) {
        std::vector<std::int64_t> counts(kBins, 0);
        const std::int64_t end = std::min(n, (chunk + 1) * kChunk);
        for (std::int64_t i = chunk * kChunk; i < end; ++i) {
            if (!(scores[i] >= 0)) continue;
            const auto bits = std::bit_cast<std::uint32_t>(scores[i]);
            if (coarse_bin_ < 0) {
                ++counts[bits >> 16];
            } else if (bits >> 16 == static_cast<std::uint32_t>(coarse_bin_)) {
                ++counts[bits & 0xffff];
            }
        }
        const std::scoped_lock lock(merge);
        for (std::size_t bin = 0; bin < counts.size(); ++bin) counts_[bin] += counts[bin];
    });
}

std::int64_t ScoreHistogram::total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

ScoreHistogram::Position ScoreHistogram::find(std::int64_t rank) const {
    std::int64_t n_before = 0;
    for (std::int64_t bin = 0; bin < kBins; ++bin) {
        const std::int64_t count = counts_[static_cast<std::size_t>(bin)];
        if (rank < n_before + count) return {bin, n_before};
        n_before += count;
    }
    throw InternalError("order statistic " + std::to_string(rank) + " of " + std::to_string(n_before) +
                        " scores");
}

float ScoreHistogram::value(std::int64_t coarse_bin, std::int64_t fine_bin) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(coarse_bin << 16 | fine_bin));
}

}  // namespace rastertide
