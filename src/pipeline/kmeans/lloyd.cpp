// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/number_text.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/tile_assigner.hpp"

namespace rastertide {
namespace {

double squared_shift(const PatchCenters& a, const PatchCenters& b) {
    double shift = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i)
        shift += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
    return shift;
}

bool has_empty(const PatchSums& sums) {
    for (std::int64_t k = 0; k < sums.n_clusters(); ++k) {
        if (sums.count(k) == 0) return true;
    }
    return false;
}

/// How far a fit is: the shift falls about as a power of the iterations.
class FitProgress {
  public:
    double fraction(double shift, double limit, std::int64_t iteration, std::int64_t max_iter) {
        if (first_ <= 0) first_ = shift;
        double done = static_cast<double>(iteration) / static_cast<double>(max_iter);
        if (shift <= limit) done = 1;
        if (limit > 0 && shift > limit && first_ > limit)
            done = std::max(done, std::log(first_ / shift) / std::log(first_ / limit));
        return std::clamp(done, 0.0, 1.0);
    }

  private:
    double first_ = 0;
};

/// The fits that still move: the tiles are gone through once for all of them.
std::vector<std::size_t> moving(const std::vector<KMeansFit>& fits, std::int64_t max_iter) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < fits.size(); ++i) {
        if (!fits[i].converged && fits[i].iterations < max_iter) places.push_back(i);
    }
    return places;
}

std::vector<std::size_t> all_places(const std::vector<KMeansFit>& fits) {
    std::vector<std::size_t> places(fits.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    return places;
}

}  // namespace

void assign_all(KMeansRun& run, Communicator& comm, TilePasses& passes, const FixedPoint& fixed,
                std::vector<KMeansFit>& fits) {
    TileAssigner(run, comm, passes, fixed, fits, 0).assign(all_places(fits));
}

double energy(const KMeansFit& fit, const StackMoments& moments) {
    // sum ||p - c||^2 = sum ||p||^2 - 2 sum_k <c_k, S_k> + sum_k n_k ||c_k||^2, all relative to the offset.
    long double sum = moments.squares.value(moments.fixed);
    for (std::int64_t k = 0; k < fit.centers.n_clusters; ++k) {
        const std::span<const std::int64_t> sums = fit.sums.sums(k);
        const auto n = static_cast<long double>(fit.sums.count(k));
        for (std::size_t f = 0; f < sums.size(); ++f) {
            const long double c = static_cast<long double>(fit.centers.center(k)[f]) - moments.fixed.offset;
            sum += c * (n * c - 2 * std::ldexp(static_cast<long double>(sums[f]), -moments.fixed.exponent));
        }
    }
    return static_cast<double>(sum);
}

void lloyd(KMeansRun& run, Communicator& comm, TilePasses& passes, const StackMoments& moments,
           const LloydLimits& limits, std::vector<KMeansFit>& fits, const ProgressFn& progress,
           const IterationFn& after_iteration) {
    const double limit = limits.tol * moments.feature_variance;
    std::optional<TileAssigner> assigner;
    together(comm, [&] { assigner.emplace(run, comm, passes, moments.fixed, fits, passes.free_bytes()); });
    std::vector<FitProgress> fit_progress(fits.size());
    for (;;) {
        const std::vector<std::size_t> active = moving(fits, limits.max_iter);
        if (active.empty()) break;
        assigner->assign(active);
        double slowest = 1;
        for (const std::size_t i : active) {
            KMeansFit& fit = fits[i];
            if (has_empty(fit.sums)) relocate_empty(run, comm, passes, moments.fixed, fit);
            PatchCenters moved = mean_centers(fit.centers, fit.sums, moments.fixed);
            const double shift = squared_shift(moved, fit.centers);
            fit.centers = std::move(moved);
            ++fit.iterations;
            fit.converged = shift <= limit;
            slowest =
                std::min(slowest, fit_progress[i].fraction(shift, limit, fit.iterations, limits.max_iter));
            run.say(LogLevel::Debug, "k " + std::to_string(fit.centers.n_clusters) + ", iteration " +
                                         std::to_string(fit.iterations) + ": squared shift " +
                                         number_text(shift) + ", limit " + number_text(limit));
        }
        if (after_iteration) together(comm, [&] { after_iteration(fits); });
        if (progress) progress(slowest);
    }
    if (limits.final_sums) assigner->assign(all_places(fits));
}

}  // namespace rastertide
