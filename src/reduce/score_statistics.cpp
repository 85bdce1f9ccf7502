// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include <rastertide/core/error.hpp>
#include <rastertide/reduce/score_statistics.hpp>
#include <rastertide/tile/tiling.hpp>

#include "core/parallel_for.hpp"

namespace rastertide {
namespace {

constexpr std::size_t kSumsPerDate = 1 + 2 * ExactSum::kStateSize;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A score or NaN, told apart by masks: of branches the compiler makes no vectors.
class Score {
  public:
    explicit Score(float score)
        : bits_(std::bit_cast<std::uint32_t>(score)), valid_(score == score ? ~0U : 0U) {}

    float or_value(float instead) const {
        return std::bit_cast<float>((bits_ & valid_) | (std::bit_cast<std::uint32_t>(instead) & ~valid_));
    }
    int n_valid() const { return static_cast<int>(valid_ & 1U); }

  private:
    std::uint32_t bits_;
    std::uint32_t valid_;
};

}  // namespace

void ScoreStatistics::add_tile(const float* scores, std::int64_t n_rows, std::int64_t n_cols, int n_threads) {
    parallel_for(n_dates(), n_threads, [&](std::int64_t date) {
        for (std::int64_t row = 0; row < n_rows; ++row) {
            const float* first = scores + (date * n_rows + row) * n_cols;
            for (std::int64_t col = 0; col < n_cols; col += kColumnRun) {
                dates_[static_cast<std::size_t>(date)].add_run(first + col,
                                                               std::min(kColumnRun, n_cols - col));
            }
        }
    });
}

void ScoreStatistics::Partial::add_run(const float* scores, std::int64_t n_scores) {
    constexpr int kLanes = 8;  // independent sums, so that the compiler may use vectors without reordering
    static_assert(kColumnRun == 2 * kLanes);
    std::array<float, kColumnRun> filled_up;
    if (n_scores < kColumnRun) {
        filled_up.fill(std::numeric_limits<float>::quiet_NaN());
        std::copy_n(scores, n_scores, filled_up.begin());
        scores = filled_up.data();
    }
    double sums[kLanes];
    double squares[kLanes];
    float lows[kLanes];
    float highs[kLanes];
    int n_valid = 0;
    for (int i = 0; i < kLanes; ++i) {
        const Score first(scores[i]);
        const Score second(scores[i + kLanes]);
        const double a = first.or_value(0);
        const double b = second.or_value(0);
        n_valid += first.n_valid() + second.n_valid();
        sums[i] = a + b;
        squares[i] = a * a + b * b;  // the products are exact: 24 bits squared fit 53
        lows[i] = std::min(first.or_value(kInfinity), second.or_value(kInfinity));
        highs[i] = std::max(first.or_value(-kInfinity), second.or_value(-kInfinity));
    }
    if (n_valid == 0) return;
    for (int i = 0; i < kLanes; ++i) {
        min = std::min(min, lows[i]);
        max = std::max(max, highs[i]);
    }
    for (int width = kLanes / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; ++i) {
            sums[i] += sums[i + width];
            squares[i] += squares[i + width];
        }
    }
    n += n_valid;
    sum.add(sums[0]);
    sum_of_squares.add(squares[0]);
}

void ScoreStatistics::Partial::merge(const Partial& other) {
    n += other.n;
    sum.merge(other.sum);
    sum_of_squares.merge(other.sum_of_squares);
    min = std::min(min, other.min);
    max = std::max(max, other.max);
}

ScoreStatistics::Moments ScoreStatistics::Partial::moments() const {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    if (n == 0) return {0, kNaN, kNaN, static_cast<float>(kNaN), static_cast<float>(kNaN)};
    const auto count = static_cast<long double>(n);
    const long double mean = sum.value() / count;
    const long double variance = sum_of_squares.value() / count - mean * mean;
    return {n, static_cast<double>(mean), static_cast<double>(std::sqrt(std::max(variance, 0.0L))), min, max};
}

ScoreStatistics::Moments ScoreStatistics::date(std::int64_t date) const {
    return dates_[static_cast<std::size_t>(date)].moments();
}

ScoreStatistics::Moments ScoreStatistics::total() const {
    Partial total;
    for (const Partial& partial : dates_) total.merge(partial);
    return total.moments();
}

std::vector<std::int64_t> ScoreStatistics::sums() const {
    std::vector<std::int64_t> values;
    values.reserve(dates_.size() * kSumsPerDate);
    for (const Partial& partial : dates_) {
        values.push_back(partial.n);
        for (const ExactSum* sum : {&partial.sum, &partial.sum_of_squares}) {
            const auto state = sum->state();
            values.insert(values.end(), state.begin(), state.end());
        }
    }
    return values;
}

std::vector<double> ScoreStatistics::extremes() const {
    std::vector<double> values;
    for (const Partial& partial : dates_) {
        values.push_back(-partial.min);
        values.push_back(partial.max);
    }
    return values;
}

ScoreStatistics ScoreStatistics::from_parts(std::span<const std::int64_t> sums,
                                            std::span<const double> extremes) {
    if (sums.size() * 2 != extremes.size() * kSumsPerDate) {
        throw InternalError("score statistics of " + std::to_string(extremes.size() / 2) + " dates from " +
                            std::to_string(sums.size()) + " sums");
    }
    ScoreStatistics result(static_cast<std::int64_t>(extremes.size() / 2));
    for (std::size_t i = 0; i < result.dates_.size(); ++i) {
        const auto part = sums.subspan(i * kSumsPerDate, kSumsPerDate);
        Partial& partial = result.dates_[i];
        partial.n = part[0];
        partial.sum = ExactSum::from_state(part.subspan<1, ExactSum::kStateSize>());
        partial.sum_of_squares =
            ExactSum::from_state(part.subspan<1 + ExactSum::kStateSize, ExactSum::kStateSize>());
        partial.min = static_cast<float>(-extremes[2 * i]);
        partial.max = static_cast<float>(extremes[2 * i + 1]);
    }
    return result;
}

}  // namespace rastertide
