// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/kmeans_margins.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "core/rounding.hpp"

namespace rastertide::cpu {
namespace {

constexpr int kClasses = PatchMargins::kClasses;
/// Units of margin that the usual drift of one pass takes: rounding up to whole units costs 1 in as many.
constexpr double kUnitsPerPass = 64;
/// While more labels than one in this many change, centres move too far for margins to pay.
constexpr std::int64_t kUnrest = 32;
/// No weight is so low that a patch at its centre could be kept for more passes: a rival that stood still may
/// move later.
constexpr double kMostPasses = 128;
/// Weights are renewed when that promises fewer failures by this factor, after so many passes at least.
constexpr double kWornOut = 1.4;
constexpr int kLeastAge = 2;

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

/// What is known of all patches of a class.
struct ClassBounds {
    double min_mean, max_mean, spread, norm;
};

/// @param m  numbers of a patch
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

/// Centres of a pass and how they moved since the one before, [n_clusters][m].
struct Drift {
    Drift(const KMeansPlan& plan, const PatchMargins& last)
        : n(static_cast<std::size_t>(plan.n_clusters)),
          m(static_cast<std::size_t>(plan.row_lines * plan.patch)) {
        moves.resize(n * m);
        centers.resize(n * m);
        for (std::size_t k = 0; k < n; ++k) {
            double square = 0;
            for (std::size_t i = 0; i < m; ++i) {
                const auto now = static_cast<double>(plan.coefficients[i * n + k]);
                moves[k * m + i] = now - static_cast<double>(last.coefficients[i * n + k]);
                centers[k * m + i] = now;
                square += now * now;
            }
            norms.push_back(std::sqrt(square));
            half_norms.push_back(std::abs(static_cast<double>(plan.half_norms[k])));
            half_norm_moves.push_back(static_cast<double>(plan.half_norms[k]) -
                                      static_cast<double>(last.half_norms[k]));
        }
    }

    std::size_t n, m;
    std::vector<double> moves, centers, norms, half_norms, half_norm_moves;
};

/// How much a gap between two centres can shrink: level mean(x) + shape spread(x) - half_norms.
struct PairDrift {
    double level = 0, shape = 0, half_norms = 0;
    double gap = 0;  ///< of the own centre itself to the rival

    PairDrift(const Drift& drift, std::size_t own, std::size_t rival) {
        const double* own_moves = drift.moves.data() + own * drift.m;
        const double* rival_moves = drift.moves.data() + rival * drift.m;
        double square = 0;
        for (std::size_t i = 0; i < drift.m; ++i) {
            const double move = rival_moves[i] - own_moves[i];
            const double apart = drift.centers[rival * drift.m + i] - drift.centers[own * drift.m + i];
            level += move;
            square += move * move;
            gap += apart * apart / 2;
        }
        const auto m = static_cast<double>(drift.m);
        // The difference of two large squares may lose all its digits: a relative 1e-12 is far above that.
        shape = std::sqrt(std::max(square - level * level / m, 0.0) + square * 1e-12);
        half_norms = drift.half_norm_moves[rival] - drift.half_norm_moves[own];
    }

    double loss(const ClassBounds& bounds) const {
        return std::max(bounds.min_mean * level, bounds.max_mean * level) + bounds.spread * shape -
               half_norms;
    }
};

/// How far the computed gap between two centres may be off.
double rounding_of(const Drift& drift, std::size_t own, std::size_t rival, double norm) {
    const double per_term = (static_cast<double>(drift.m) + 2) * 0x1p-24 * 1.01;
    return per_term * (drift.half_norms[own] + drift.half_norms[rival] +
                       (drift.norms[own] + drift.norms[rival]) * norm) +
           1e-40;
}

/// The classes that a centre and its neighbours in mean belong to, of the middle spread: what most of its
/// patches are like.
ClassBounds typical_bounds(const Drift& drift, const PatchMargins& margins, std::size_t own) {
    double sum = 0;
    for (std::size_t i = 0; i < drift.m; ++i) sum += drift.centers[own * drift.m + i];
    const auto m = static_cast<double>(drift.m);
    const auto edges = std::span(margins.mean_edges).subspan(1, PatchMargins::kMeans - 1);
    const auto mean =
        static_cast<int>(std::ranges::upper_bound(edges, static_cast<float>(sum / m)) - edges.begin());
    const auto bounds = [&](int i) {
        return bounds_of(margins, i * PatchMargins::kSpreads + PatchMargins::kSpreads / 2, m);
    };
    ClassBounds found = bounds(mean);
    found.min_mean = bounds(std::max(mean - 1, 0)).min_mean;
    found.max_mean = bounds(std::min(mean + 1, PatchMargins::kMeans - 1)).max_mean;
    return found;
}

/// Usual losses of a label's gaps in this pass, which its rivals are to be weighed by.
std::vector<double> weights_of(const Drift& drift, const std::vector<PairDrift>& pairs, std::size_t own,
                               const PatchMargins& margins) {
    const ClassBounds bounds = typical_bounds(drift, margins, own);
    std::vector<double> weights(drift.n);
    for (std::size_t rival = 0; rival < drift.n; ++rival) {
        const double loss = pairs[rival].loss(bounds) + rounding_of(drift, own, rival, bounds.norm);
        weights[rival] = std::max({loss, pairs[rival].gap / kMostPasses, 1e-28});
    }
    return weights;
}

/// What share of a label's patches fails in a pass, up to a common factor, if their gaps are evenly spread
/// from 0 to that of the centre. @param weights  of the rivals; losses of `usual` units are theirs in this
/// pass
double failing_share(const std::vector<PairDrift>& pairs, std::size_t own, const std::vector<double>& usual,
                     const std::vector<double>& weights) {
    double most = 0, sum = 0;
    for (std::size_t rival = 0; rival < pairs.size(); ++rival) {
        if (rival == own) continue;
        most = std::max(most, usual[rival] / weights[rival]);
        sum += weights[rival] / std::max(pairs[rival].gap, 1e-28);
    }
    return most * sum;
}

/// What make_step() knows of a label.
struct LabelDrift {
    std::vector<PairDrift> pairs;
    std::vector<double> weights;  ///< that fit this pass
};

/// Losses of the margins of one label and version of the weights.
/// @param fail_all  the version is a new one: margins of the old one are void
void set_losses(const Drift& drift, const std::vector<PairDrift>& pairs, std::size_t own, std::size_t version,
                bool fail_all, PatchMargins& margins, PruneStep& step) {
    const double* weights = margins.weights[version].data() + own * drift.n;
    for (int i_class = 0; i_class < PatchMargins::kOut; ++i_class) {
        const ClassBounds bounds = bounds_of(margins, i_class, static_cast<double>(drift.m));
        double loss = -std::numeric_limits<double>::infinity(), slack = 0;
        for (std::size_t rival = 0; rival < drift.n; ++rival) {
            if (rival == own) continue;
            const double units = kUnitsPerPass / weights[rival];
            loss = std::max(loss, pairs[rival].loss(bounds) * units);
            slack = std::max(slack, rounding_of(drift, own, rival, bounds.norm) * units);
        }
        // Products of larger norms are infinite in float.
        if (bounds.norm > 1e18) loss = std::numeric_limits<double>::infinity();
        const std::size_t place = own * kClasses + static_cast<std::size_t>(i_class);
        double& last_slack = margins.slack[version][place];
        const double paid = std::ceil(loss + std::abs(loss) * 1e-9 + slack - last_slack + 1e-3);
        last_slack = slack;
        const std::size_t row = place + kClasses;  // row 0 is that of no label
        if (version == margins.version) step.slack[row] = static_cast<float>(2 * slack * (1 + 1e-6) + 1);
        if (!fail_all && paid < PruneStep::kFail) {
            step.losses[version * step.slack.size() + row] =
                static_cast<std::int32_t>(std::max<double>(paid, -PruneStep::kFail));
        }
    }
}

/// Starts a new version of the weights where the present one no longer fits how the centres move.
bool renew_weights(const Drift& drift, const std::vector<LabelDrift>& labels, bool first,
                   PatchMargins& margins) {
    double failing = 0, least_failing = 0;
    for (std::size_t own = 0; own < drift.n && !first; ++own) {
        const double* from = margins.weights[margins.version].data() + own * drift.n;
        const std::vector<double> present(from, from + drift.n);
        const auto n_patches = static_cast<double>(margins.n_labelled[own + 1]);
        const LabelDrift& label = labels[own];
        failing += n_patches * failing_share(label.pairs, own, label.weights, present);
        least_failing += n_patches * failing_share(label.pairs, own, label.weights, label.weights);
    }
    ++margins.age;
    if (!first && (margins.age < kLeastAge || failing < kWornOut * least_failing)) return false;
    margins.age = 0;
    margins.version = (margins.version + 1) % PatchMargins::kVersions;
    for (std::size_t own = 0; own < drift.n; ++own) {
        std::ranges::copy(labels[own].weights, margins.weights[margins.version].begin() +
                                                   static_cast<std::ptrdiff_t>(own * drift.n));
    }
    return true;
}

PruneStep make_step(const KMeansPlan& plan, bool first, PatchMargins& margins) {
    const Drift drift(plan, margins);
    std::vector<LabelDrift> labels(drift.n);
    for (std::size_t own = 0; own < drift.n; ++own) {
        for (std::size_t rival = 0; rival < drift.n; ++rival) {
            labels[own].pairs.emplace_back(drift, own, rival);
        }
        labels[own].weights = weights_of(drift, labels[own].pairs, own, margins);
    }
    const bool renewed = renew_weights(drift, labels, first, margins);
    const auto rows = static_cast<std::size_t>(1 + plan.n_clusters) * kClasses;
    PruneStep step;
    step.use_margins = true;
    step.new_classes = first;
    step.version = static_cast<std::int32_t>(margins.version);
    step.version_stride = static_cast<std::int32_t>(rows);
    step.losses.assign(rows * PatchMargins::kVersions, PruneStep::kFail);
    step.slack.assign(rows, 0);
    step.n_padded = round_up(plan.n_clusters, 16);
    step.by_rival.assign(drift.n * static_cast<std::size_t>(step.n_padded), 0);
    for (std::size_t own = 0; own < drift.n; ++own) {
        for (std::size_t version = 0; version < PatchMargins::kVersions; ++version) {
            const bool is_new = renewed && version == margins.version;
            set_losses(drift, labels[own].pairs, own, version, first || is_new, margins, step);
        }
        for (std::size_t rival = 0; rival < drift.n; ++rival) {
            // Less what the product and the difference of floats may round up.
            const double units = kUnitsPerPass / margins.weights[margins.version][own * drift.n + rival];
            const auto low_units = static_cast<float>(units * (1 - 1e-6));
            step.by_rival[rival * static_cast<std::size_t>(step.n_padded) + own] = low_units;
        }
    }
    for (std::size_t version = 0; version < PatchMargins::kVersions; ++version) {
        step.losses[version * rows + PatchMargins::kVoid] = 0;
    }
    return step;
}

}  // namespace

PruneStep prepare_margins(const PixelStack& pixels, const KMeansPlan& plan, PatchMargins& margins) {
    const std::int64_t n_patches = plan.n_dates * plan.n_rows * plan.n_cols;
    const bool same_level = margins.level == plan.offset;
    // Scores of such centres may be infinite.
    const bool huge = std::ranges::any_of(plan.half_norms, [](float h) { return !(h < 1e36F); });
    const bool restless = huge || margins.n_changed < 0 || margins.n_changed > n_patches / kUnrest;
    PruneStep step;
    if (huge || !same_level || margins.coefficients.empty()) margins.in_use = false;
    if (same_level && !margins.coefficients.empty() && (margins.in_use || !restless)) {
        const bool begin = !margins.in_use;
        if (begin) {
            const auto n = static_cast<std::size_t>(plan.n_clusters);
            margins.in_use = true;
            for (auto& weights : margins.weights) weights.assign(n * n, 1);
            for (auto& slack : margins.slack) slack.assign(n * kClasses, 0);
            margins.margins.resize(static_cast<std::size_t>(n_patches));
            margins.classes.resize(static_cast<std::size_t>(n_patches));
            set_classes(pixels, plan, margins);
        }
        step = make_step(plan, begin, margins);
    }
    margins.level = plan.offset;
    margins.coefficients.assign(plan.coefficients.begin(),
                                plan.coefficients.begin() + plan.n_clusters * plan.row_lines * plan.patch);
    margins.half_norms.assign(plan.half_norms.begin(), plan.half_norms.begin() + plan.n_clusters);
    return step;
}

void finish_margins(const std::vector<std::int64_t>& moved, std::int64_t n_changed, PatchMargins& margins) {
    margins.n_labelled.resize(moved.size());
    std::transform(moved.begin(), moved.end(), margins.n_labelled.begin(), margins.n_labelled.begin(),
                   std::plus<>());
    margins.n_changed = n_changed;
}

}  // namespace rastertide::cpu
