// SPDX-License-Identifier: Apache-2.0
// Scalar on purpose: the tables of one location lie in the first cache, where the CPU's loads beat its
// gathers.
#include "compute/cpu/lof_finish.hpp"

#include <algorithm>
#include <limits>

namespace rastertide::cpu {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// One location's records, and its column of the block's tables.
struct Location {
    const std::byte* records;  ///< of its first date
    std::int64_t date_bytes;   ///< from one date's record to the next
    const std::uint16_t* counts;
    const float* reach;

    const float* distances(std::int64_t date) const {
        return reinterpret_cast<const float*>(records + date * date_bytes);
    }
    const std::uint16_t* dates(std::int64_t date, std::int64_t k) const {
        return reinterpret_cast<const std::uint16_t*>(distances(date) + k);
    }
};

void fetch_ahead(const std::byte* record, std::int64_t n_bytes) {
    constexpr std::int64_t kLineBytes = 64;
    for (std::int64_t i = 0; i < n_bytes; i += kLineBytes) __builtin_prefetch(record + i);
}

/// Neighbours' sums run in the order of the dates: the same for every way to find the neighbours.
void find_densities(const LofPlan& plan, const Location& location, double* densities) {
    for (std::int64_t date = 0; date < plan.n_dates; ++date) {
        const float* distances = location.distances(date);
        const std::uint16_t* dates = location.dates(date, plan.k);
        const std::int64_t n = location.counts[date];
        // The next location's record: of one location they lie too far apart for the CPU to foresee.
        fetch_ahead(reinterpret_cast<const std::byte*>(distances) + plan.record_bytes, plan.record_bytes);
        float sum = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += std::max(location.reach[dates[i]], distances[i]);
        densities[date] = 1.0 / (static_cast<double>(sum) / static_cast<double>(n) + 1e-10);
    }
}

/// In double, so that neighbours of equal density give exactly 1.
void find_scores(const LofPlan& plan, const Location& location, const double* densities, float* scores) {
    for (std::int64_t date = 0; date < plan.n_dates; ++date) {
        const std::uint16_t* dates = location.dates(date, plan.k);
        const std::int64_t n = location.counts[date];
        double sum = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += densities[dates[i]];
        scores[date] = n > 0 ? static_cast<float>(sum / (static_cast<double>(n) * densities[date])) : kNaN;
    }
}

void finish_location(const LofPlan& plan, const Location& location, double* densities, float* scores) {
    const auto n_valid =
        plan.n_dates - std::count(location.counts, location.counts + plan.n_dates, std::uint16_t{0});
    if (n_valid < 3) {
        std::fill_n(scores, plan.n_dates, kNaN);
        return;
    }
    find_densities(plan, location, densities);
    find_scores(plan, location, densities, scores);
}

/// Every step-th value from `from` on.
template <class T>
void copy_column(const T* from, std::int64_t step, std::int64_t n, T* to) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * step];
}

}  // namespace

void finish_block(const LofPlan& plan, const Block& block, const LofScratch& scratch,
                  const ScoreStack& scores) {
    const std::int64_t n_locations = block.n_locations();
    const std::int64_t stride = plan.padded_dates();
    for (std::int64_t i = 0; i < n_locations; ++i) {
        copy_column(scratch.counts + i, n_locations, plan.n_dates, scratch.location_counts);
        copy_column(scratch.reach + i, n_locations, plan.n_dates, scratch.location_reach);
        finish_location(plan,
                        {scratch.records + i * plan.record_bytes, n_locations * plan.record_bytes,
                         scratch.location_counts, scratch.location_reach},
                        scratch.densities, scratch.scores + i * stride);
    }
    for (std::int64_t date = 0; date < plan.n_dates; ++date) {
        for (std::int64_t row = 0; row < block.n_rows; ++row) {
            copy_column(
                scratch.scores + row * stride + date, block.n_rows * stride, block.n_cols,
                scores.data + date * scores.date_stride + (block.row + row) * scores.row_stride + block.col);
        }
    }
}

void write_nodata(const LofPlan& plan, const Block& block, const ScoreStack& scores) {
    for (std::int64_t date = 0; date < plan.n_dates; ++date) {
        for (std::int64_t row = 0; row < block.n_rows; ++row) {
            std::fill_n(
                scores.data + date * scores.date_stride + (block.row + row) * scores.row_stride + block.col,
                block.n_cols, kNaN);
        }
    }
}

}  // namespace rastertide::cpu
