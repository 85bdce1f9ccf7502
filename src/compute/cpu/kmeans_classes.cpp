// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/kmeans_classes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace rastertide::cpu {
namespace {

/// Mean and sum of squares about it of a patch, relative to a level.
struct Moments {
    double mean = 0, square = 0;
};

Moments moments_of(const PixelStack& pixels, const KMeansPlan& plan, std::int64_t date, std::int64_t row,
                   std::int64_t col) {
    double sum = 0, square = 0;
    for (std::int64_t image = date * plan.n_bands; image < (date + 1) * plan.n_bands; ++image) {
        for (std::int64_t y = row; y < row + plan.patch; ++y) {
            const float* line = pixels.data + (image * pixels.n_rows + y) * pixels.n_cols + col;
            for (std::int64_t x = 0; x < plan.patch; ++x) {
                const double value = static_cast<double>(line[x] - plan.offset);
                sum += value;
                square += value * value;
            }
        }
    }
    const auto n = static_cast<double>(plan.row_lines * plan.patch);
    return {sum / n, std::max(square - sum * sum / n, 0.0)};
}

/// Moments of some thousand valid patches, evenly spread, by mean.
std::vector<Moments> sample_moments(const PixelStack& pixels, const KMeansPlan& plan) {
    constexpr std::int64_t kSample = 8192;
    const std::int64_t n = plan.n_dates * plan.n_rows * plan.n_cols;
    std::vector<Moments> sample;
    // An odd step meets all columns of a tile whose width is a power of two.
    for (std::int64_t i = 0; i < n; i += std::max<std::int64_t>(n / kSample, 1) | 1) {
        const std::int64_t row = i / plan.n_cols % plan.n_rows;
        const Moments found = moments_of(pixels, plan, i / (plan.n_cols * plan.n_rows), row, i % plan.n_cols);
        if (std::isfinite(found.mean) && std::isfinite(found.square)) sample.push_back(found);
    }
    std::ranges::sort(sample, {}, &Moments::mean);
    return sample;
}

/// Places that cut sorted values into n parts, first and last included: where the widths of the parts, times
/// the numbers of values in them, add up to the least, which is at equal steps of the sum of the gaps' square
/// roots.
template <class Values>
std::vector<std::size_t> cut(const Values& sorted, std::size_t n) {
    std::vector<double> steps{0};
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        steps.push_back(steps.back() + std::sqrt(sorted[i] - sorted[i - 1]));
    }
    std::vector<std::size_t> cuts;
    for (std::size_t part = 0; part <= n; ++part) {
        const double step = steps.back() * static_cast<double>(part) / static_cast<double>(n);
        cuts.push_back(static_cast<std::size_t>(std::ranges::lower_bound(steps, step) - steps.begin()));
        cuts.back() = std::min(cuts.back(), sorted.size() - 1);
    }
    return cuts;
}

/// Bounds of the spreads within one class of means. @param m  numbers of a patch
void set_square_edges(std::span<const Moments> sample, double m,
                      std::array<float, PatchMargins::kSpreads>& edges) {
    std::vector<double> spreads;
    for (const Moments& moments : sample) spreads.push_back(std::sqrt(moments.square));
    std::ranges::sort(spreads);
    // The sample does not hold the largest.
    spreads.push_back(spreads.back() * 1.25);
    // Of a constant patch, rounding alone makes a spread.
    const double rounding = m * 0x1p-24 * sample.back().mean;
    const std::vector<std::size_t> cuts = cut(spreads, PatchMargins::kSpreads);
    for (std::size_t j = 0; j < edges.size(); ++j) {
        const double spread = spreads[cuts[j + 1]];
        edges[j] = static_cast<float>(spread * spread + 16 * m * rounding * rounding);
    }
}

}  // namespace

void set_classes(const PixelStack& pixels, const KMeansPlan& plan, PatchMargins& margins) {
    std::vector<Moments> sample = sample_moments(pixels, plan);
    if (sample.empty()) sample.emplace_back();
    std::vector<double> means;
    for (const Moments& moments : sample) means.push_back(moments.mean);
    const std::vector<std::size_t> cuts = cut(means, PatchMargins::kMeans);
    for (std::size_t i = 0; i < PatchMargins::kMeans; ++i) {
        margins.mean_edges[i] = static_cast<float>(means[cuts[i]]);
        const std::size_t n = std::max<std::size_t>(cuts[i + 1] - cuts[i], 1);
        set_square_edges(std::span(sample).subspan(cuts[i], n),
                         static_cast<double>(plan.row_lines * plan.patch), margins.square_edges[i]);
    }
    margins.mean_edges.back() =
        std::nextafter(static_cast<float>(means.back()), std::numeric_limits<float>::infinity());
}

ClassBounds bounds_of(const PatchMargins& margins, int i_class, double m) {
    const auto mean = static_cast<std::size_t>(i_class / PatchMargins::kSpreads);
    const auto spread = static_cast<std::size_t>(i_class % PatchMargins::kSpreads);
    // Classes come from sums in float: of m terms, off by m 2^-24 of the mean magnitude at most.
    const double rounding = 2 * (m + 4) * 0x1p-24;
    const double low = margins.mean_edges[mean], high = margins.mean_edges[mean + 1];
    const double square = static_cast<double>(margins.square_edges[mean][spread]) * (1 + rounding);
    const double error = rounding * (std::max(std::abs(low), std::abs(high)) + std::sqrt(square / m));
    const double most = std::max(std::abs(low), std::abs(high)) + error;
    return {low - error, high + error, std::sqrt(square), std::sqrt(m * most * most + square)};
}

}  // namespace rastertide::cpu
