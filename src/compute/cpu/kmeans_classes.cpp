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

/// Classes come from sums of m terms in float, x_i and x_i^2, of no more than m + 1 roundings each. With
/// u = 2^-24 and g = (m + 1) u / (1 - (m + 1) u), S and Q the sums and S', Q' what is computed,
///
///     |S' - S| <= g sum|x_i| <= g sqrt(m Q),   |Q' - Q| <= g Q.
///
/// The mean S' / m takes two roundings more: it is off by (g + 2.01 u (1 + g)) sqrt(Q / m) at most,
/// mean_error() sqrt(Q / m). Since |S| <= sqrt(m Q), that mean times S' is off from S^2 / m by (2 g + g^2) Q
/// and 2.01 u (1 + g)^2 Q; the product and the difference round by another 2.1 u (1 + g)^2 Q: Q' - S'^2 / m
/// is off from the sum of squares about the mean by square_error() Q at most. Both bounds are raised by what
/// is small beside them.
double chain_error(double m) { return (m + 1) * 0x1p-24 / std::max(1 - (m + 1) * 0x1p-24, 1e-3); }
double mean_error(double m) { return chain_error(m) + 4 * 0x1p-24; }
double square_error(double m) { return (3 + chain_error(m)) * chain_error(m) + 6 * 0x1p-24; }
/// What a sum or product below the normal numbers is off by at most, whether or not it is flushed.
constexpr double kUnderflow = 0x1p-124;
/// Of moments that nothing is known of; beyond any pixel.
constexpr double kUnbounded = 1e40;

/// Bounds of the spreads within one class of means. @param m  numbers of a patch
void set_square_edges(std::span<const Moments> sample, double m,
                      std::array<float, PatchClasses::kSpreads>& edges) {
    std::vector<double> spreads;
    for (const Moments& moments : sample) spreads.push_back(std::sqrt(moments.square));
    std::ranges::sort(spreads);
    // The sample does not hold the largest.
    spreads.push_back(spreads.back() * 1.25);
    // Of a constant patch, rounding alone makes a spread.
    const double most = std::max(std::abs(sample.front().mean), std::abs(sample.back().mean));
    const std::vector<std::size_t> cuts = cut(spreads, PatchClasses::kSpreads);
    for (std::size_t j = 0; j < edges.size(); ++j) {
        const double spread = spreads[cuts[j + 1]];
        const double square = spread * spread;
        edges[j] = static_cast<float>(square + square_error(m) * (m * most * most + square) + kUnderflow * m);
    }
}

}  // namespace

void set_classes(const PixelStack& pixels, const KMeansPlan& plan, PatchClasses& classes) {
    std::vector<Moments> sample = sample_moments(pixels, plan);
    if (sample.empty()) sample.emplace_back();
    std::vector<double> means;
    for (const Moments& moments : sample) means.push_back(moments.mean);
    const std::vector<std::size_t> cuts = cut(means, PatchClasses::kMeans);
    for (std::size_t i = 0; i < PatchClasses::kMeans; ++i) {
        classes.mean_edges[i] = static_cast<float>(means[cuts[i]]);
        const std::size_t n = std::max<std::size_t>(cuts[i + 1] - cuts[i], 1);
        set_square_edges(std::span(sample).subspan(cuts[i], n),
                         static_cast<double>(plan.row_lines * plan.patch), classes.square_edges[i]);
    }
    classes.mean_edges.back() =
        std::nextafter(static_cast<float>(means.back()), std::numeric_limits<float>::infinity());
}

ClassBounds bounds_of(const PatchClasses& classes, int i_class, double m) {
    const auto mean = static_cast<std::size_t>(i_class / PatchClasses::kSpreads);
    const auto spread = static_cast<std::size_t>(i_class % PatchClasses::kSpreads);
    return bounds_within(classes.mean_edges[mean], classes.mean_edges[mean + 1],
                         classes.square_edges[mean][spread], m);
}

ClassBounds bounds_within(double low, double high, double most_square, double m) {
    const double computed = std::max(most_square, 0.0) + kUnderflow * m;
    // A patch is in the class that its computed moments are in, whatever the true ones are: these lie within
    // the errors, which are shares of sqrt(Q). With M the largest magnitude of the edges,
    //     sqrt(Q) <= sqrt(m) |mean| + spread
    //             <= sqrt(m) M + mean_error sqrt(Q) + sqrt(computed) + sqrt(square_error Q).
    const double most = std::max(std::abs(low), std::abs(high));
    const double shares = mean_error(m) + std::sqrt(square_error(m));
    if (shares > 0.5) return {-kUnbounded, kUnbounded, kUnbounded, kUnbounded};
    const double norm = (std::sqrt(m) * most + std::sqrt(computed)) / (1 - shares) * (1 + 1e-9);
    const double error = mean_error(m) * norm / std::sqrt(m) + kUnderflow;
    const double square = computed + square_error(m) * norm * norm;
    return {low - error, high + error, std::sqrt(square),
            std::sqrt(m * (most + error) * (most + error) + square)};
}

}  // namespace rastertide::cpu
