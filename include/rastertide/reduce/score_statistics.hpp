// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <rastertide/reduce/exact_sum.hpp>

namespace rastertide {

/// Count, sums and extremes of scores, date by date: a partial result that merges in any order to the same
/// bits.
///
/// Scores are first summed in double over the runs of kColumnRun columns that are fixed in the raster
/// (tile/tiling.hpp), then exactly (ExactSum). NaN scores (nodata) do not count.
class ScoreStatistics {
  public:
    struct Moments {
        std::int64_t n = 0;
        double mean = 0;  ///< NaN if n = 0, as are the next
        double std = 0;   ///< of the population (division by n)
        float min = 0;
        float max = 0;
    };

    explicit ScoreStatistics(std::int64_t n_dates) : dates_(static_cast<std::size_t>(n_dates)) {}

    std::int64_t n_dates() const { return static_cast<std::int64_t>(dates_.size()); }

    /// Adds the scores of a tile.
    /// @param scores     [n_dates][n_rows][n_cols]; its first column is a multiple of kColumnRun in the
    /// raster
    /// @param n_threads  0 = all cores; the result does not depend on it
    void add_tile(const float* scores, std::int64_t n_rows, std::int64_t n_cols, int n_threads = 0);

    Moments date(std::int64_t date) const;
    Moments total() const;

    /// The state: integers to be added over ranks, and numbers of which the maximum over ranks is to be
    /// taken.
    std::vector<std::int64_t> sums() const;
    std::vector<double> extremes() const;
    static ScoreStatistics from_parts(std::span<const std::int64_t> sums, std::span<const double> extremes);

  private:
    struct Partial {
        std::int64_t n = 0;
        ExactSum sum;
        ExactSum sum_of_squares;
        float min = std::numeric_limits<float>::infinity();
        float max = -std::numeric_limits<float>::infinity();
        void add_run(const float* scores, std::int64_t n_scores);
        void merge(const Partial& other);
        Moments moments() const;
    };

    std::vector<Partial> dates_;
};

}  // namespace rastertide
