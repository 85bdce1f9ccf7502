// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/number_text.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/patch_assigner.hpp"
#include "pipeline/kmeans/stack_share.hpp"
#include "pipeline/kmeans/tile_pieces.hpp"

namespace rastertide {
namespace {

// A share's iterations cost little beside those over all patches, and the nearer to its end they come, the
// fewer of these remain.
constexpr double kShareTol = 0.01;  // times -tol
constexpr std::int64_t kShareIterations = 300;
constexpr std::int64_t kSharePasses = 4;  // at most the work of so many iterations over all patches

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

/// Moves the fits until their end, all in one pass over the pieces of `assigner`.
/// @param relocate  of a fit with empty clusters; none: they keep their centres
void iterate(const KMeansRun& run, PatchAssigner& assigner, const StackMoments& moments,
             const LloydLimits& limits, std::vector<KMeansFit>& fits,
             const std::function<void(KMeansFit&)>& relocate, const ProgressFn& progress,
             const std::function<void()>& after_iteration) {
    const double limit = limits.tol * moments.feature_variance;
    std::vector<FitProgress> fit_progress(fits.size());
    for (;;) {
        const std::vector<std::size_t> active = moving(fits, limits.max_iter);
        if (active.empty()) break;
        assigner.assign(active);
        double slowest = 1;
        for (const std::size_t i : active) {
            KMeansFit& fit = fits[i];
            if (relocate && has_empty(fit.sums)) relocate(fit);
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
        after_iteration();
        if (progress) progress(slowest);
    }
}

}  // namespace

void assign_all(KMeansRun& run, Communicator& comm, TilePasses& passes, const FixedPoint& fixed,
                std::vector<KMeansFit>& fits) {
    TilePieces pieces(run, passes);
    PatchAssigner(run, comm, pieces, fixed, fits, 0, Stage::Iterate).assign(all_places(fits));
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
    TilePieces pieces(run, passes);
    std::optional<PatchAssigner> assigner;
    together(comm, [&] {
        assigner.emplace(run, comm, pieces, moments.fixed, fits, passes.free_bytes(), Stage::Iterate);
    });
    const auto relocate = [&](KMeansFit& fit) { relocate_empty(run, comm, passes, moments.fixed, fit); };
    iterate(run, *assigner, moments, limits, fits, relocate, progress, [&] {
        if (after_iteration) together(comm, [&] { after_iteration(fits); });
    });
    if (limits.final_sums) assigner->assign(all_places(fits));
}

void lloyd_on_share(KMeansRun& run, StackShare& share, std::int64_t label_bytes, const StackMoments& moments,
                    std::vector<KMeansFit>& fits, const ProgressFn& progress) {
    std::optional<PatchAssigner> assigner;
    together(run.comm,
             [&] { assigner.emplace(run, run.comm, share, moments.fixed, fits, label_bytes, Stage::Start); });
    const std::int64_t most = share.step() * std::min(run.options.max_iter, kSharePasses);
    const LloydLimits limits = {std::min(most, kShareIterations), kShareTol * run.options.tol, false};
    iterate(run, *assigner, moments, limits, fits, {}, progress, [] {});
    for (KMeansFit& fit : fits) fit = new_fit(std::move(fit.centers));
}

}  // namespace rastertide
