// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/kmeans_margins.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "compute/cpu/kmeans_candidates.hpp"
#include "compute/cpu/kmeans_drift.hpp"
#include "core/rounding.hpp"

namespace rastertide::cpu {
namespace {

constexpr int kClasses = PatchMargins::kClasses;
/// Units of margin that the usual drift of one pass takes: rounding up to whole units costs 1 in as many.
constexpr double kUnitsPerPass = 64;
/// While more labels than K in this many change, centres move too far for margins to pay more than
/// candidates: measured for K = 7 to 64.
constexpr std::int64_t kUnrest = 4096;
/// No weight is so low that a patch at its centre could be kept for more passes: a rival that stood still may
/// move later.
constexpr double kMostPasses = 128;
/// Weights are renewed when that promises fewer failures by this factor, after so many passes at least.
constexpr double kWornOut = 1.4;
constexpr int kLeastAge = 2;

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
        if (version == margins.version) {
            step.slack[row] = static_cast<float>(2 * slack * (1 + 1e-6) + 1);
            step.rounding[row] = static_cast<float>(slack * (1 + 1e-6));
        }
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

/// All margins fail, and are set anew.
void begin_margins(const KMeansPlan& plan, PatchMargins& margins) {
    const auto n = static_cast<std::size_t>(plan.n_clusters);
    for (auto& weights : margins.weights) weights.assign(n * n, 1);
    for (auto& slack : margins.slack) slack.assign(n * kClasses, 0);
    margins.margins.resize(static_cast<std::size_t>(plan.n_dates * plan.n_rows * plan.n_cols));
}

PruneStep make_step(const KMeansPlan& plan, bool first, PatchMargins& margins) {
    if (first) begin_margins(plan, margins);
    const Drift drift(plan, margins.coefficients, margins.half_norms);
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
    step.version = static_cast<std::int32_t>(margins.version);
    step.version_stride = static_cast<std::int32_t>(rows);
    step.losses.assign(rows * PatchMargins::kVersions, PruneStep::kFail);
    step.slack.assign(rows, 0);
    step.rounding.assign(rows, 0);
    for (std::size_t row = 0; row < rows; row += kClasses)  // of patches in no class it is not known
        step.rounding[row + PatchMargins::kOut] = std::numeric_limits<float>::infinity();
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

PruneStep prepare_step(const PixelStack& pixels, const KMeansPlan& plan, PatchMargins& margins) {
    const std::int64_t n_patches = plan.n_dates * plan.n_rows * plan.n_cols;
    const bool same_level = margins.level == plan.offset && !margins.coefficients.empty();
    const bool huge = has_huge_centers(plan);
    const bool restless = margins.n_changed < 0 || margins.n_changed > n_patches * plan.n_clusters / kUnrest;
    PruneStep step;
    if (huge || !same_level) {
        margins.in_use = false;
        margins.classes.clear();
    }
    if (!huge && same_level && (margins.in_use || !restless)) {
        const bool new_classes = margins.classes.empty();
        if (new_classes) {
            margins.classes.resize(static_cast<std::size_t>(n_patches));
            set_classes(pixels, plan, margins);
        }
        step = make_step(plan, !margins.in_use, margins);
        step.new_classes = new_classes;
        margins.in_use = true;
    }
    margins.level = plan.offset;
    margins.coefficients = plan.centers.coefficients;
    margins.half_norms = plan.centers.half_norms;
    return step;
}

void finish_margins(const std::vector<std::int64_t>& moved, std::int64_t n_changed, PatchMargins& margins) {
    margins.n_labelled.resize(moved.size());
    std::transform(moved.begin(), moved.end(), margins.n_labelled.begin(), margins.n_labelled.begin(),
                   std::plus<>());
    margins.n_changed = n_changed;
}

}  // namespace rastertide::cpu
