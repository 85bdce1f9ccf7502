// SPDX-License-Identifier: Apache-2.0
// Scalar on purpose: the tables of one location lie in the first cache, where the CPU's loads beat its
// gathers.
#include "compute/cpu/lof_finish.hpp"

#include <algorithm>
#include <limits>

namespace rastertide::cpu {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// One location's tables.
struct Location {
    const std::byte* records;
    const std::uint16_t* counts;
    const float* reach;
    float* scores;
};

const float* record_distances(const LofPlan& plan, const Location& location, std::int64_t date) {
    return reinterpret_cast<const float*>(location.records + date * plan.record_bytes);
}

const std::uint16_t* record_dates(const LofPlan& plan, const Location& location, std::int64_t date) {
    return reinterpret_cast<const std::uint16_t*>(record_distances(plan, location, date) + plan.k);
}

/// Neighbours' sums run in the order of the dates: the same for every way to find the neighbours.
void find_densities(const LofPlan& plan, const Location& location, double* densities) {
    for (std::int64_t date = 0; date < plan.n_dates; ++date) {
        const float* distances = record_distances(plan, location, date);
        const std::uint16_t* dates = record_dates(plan, location, date);
        const std::int64_t n = location.counts[date];
        float sum = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += std::max(location.reach[dates[i]], distances[i]);
        densities[date] = 1.0 / (static_cast<double>(sum) / static_cast<double>(n) + 1e-10);
    }
}

/// In double, so that neighbours of equal density give exactly 1.
void find_scores(const LofPlan& plan, const Location& location, const double* densities) {
    for (std::int64_t date = 0; date < plan.n_dates; ++date) {
        const std::uint16_t* dates = record_dates(plan, location, date);
        const std::int64_t n = location.counts[date];
        double sum = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += densities[dates[i]];
        location.scores[date] =
            n > 0 ? static_cast<float>(sum / (static_cast<double>(n) * densities[date])) : kNaN;
    }
}

void finish_location(const LofPlan& plan, const Location& location, double* densities) {
    const auto n_valid =
        plan.n_dates - std::count(location.counts, location.counts + plan.n_dates, std::uint16_t{0});
    if (n_valid < 3) {
        std::fill_n(location.scores, plan.n_dates, kNaN);
        return;
    }
    find_densities(plan, location, densities);
    find_scores(plan, location, densities);
}

}  // namespace

void finish_block(const LofPlan& plan, const Block& block, const LofScratch& scratch,
                  const ScoreStack& scores) {
    const std::int64_t stride = plan.padded_dates();
    for (std::int64_t i = 0; i < block.n_locations(); ++i) {
        finish_location(plan,
                        {scratch.records + i * plan.location_bytes(), scratch.counts + i * stride,
                         scratch.reach + i * stride, scratch.scores + i * stride},
                        scratch.densities);
    }
    for (std::int64_t date = 0; date < plan.n_dates; ++date) {
        for (std::int64_t row = 0; row < block.n_rows; ++row) {
            float* to =
                scores.data + date * scores.date_stride + (block.row + row) * scores.row_stride + block.col;
            for (std::int64_t col = 0; col < block.n_cols; ++col) {
                to[col] = scratch.scores[(col * block.n_rows + row) * stride + date];
            }
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
