// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rastertide {

/// Counts of non-negative floats by their bits: finds any order statistic exactly in two passes over the
/// data.
///
/// Non-negative floats order as their bit patterns do. The coarse histogram counts the upper 16 bits; a fine
/// one the lower 16 bits of the values in one coarse bin. Counts add up over tiles, threads and ranks.
class ScoreHistogram {
  public:
    static constexpr std::int64_t kBins = 1 << 16;

    /// Counts all scores by their upper bits.
    ScoreHistogram() : counts_(kBins, 0) {}
    /// Counts only the scores of one coarse bin, by their lower bits.
    static ScoreHistogram fine(std::int64_t coarse_bin);

    /// NaN does not count. @param n_threads 0 = all cores
    void add(const float* scores, std::int64_t n, int n_threads = 0);

    /// Counts, to be added over ranks in place.
    std::span<std::int64_t> counts() { return counts_; }
    std::int64_t total() const;

    struct Position {
        std::int64_t bin = 0;
        std::int64_t n_before = 0;  ///< counted values in lower bins
    };
    /// The bin of the value that has `rank` counted values before it in order, 0 <= rank < total().
    Position find(std::int64_t rank) const;

    /// The float whose bits are these two bins.
    static float value(std::int64_t coarse_bin, std::int64_t fine_bin);

  private:
    std::int64_t coarse_bin_ = -1;  // -1: this histogram is the coarse one
    std::vector<std::int64_t> counts_;
};

}  // namespace rastertide
