// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <rastertide/core/error.hpp>

#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/pick_patches.hpp"

namespace rastertide {
namespace {

/// The clusters that the assignment has given patches: a label does not depend on what lies around it.
std::vector<std::uint16_t> labels_of(const KMeansRun& run, const PatchCenters& centers,
                                     const FixedPoint& fixed, const PatchList& patches) {
    std::vector<std::uint16_t> labels(static_cast<std::size_t>(patches.n()));
    if (labels.empty()) return labels;
    const std::int64_t p = centers.patch_size;
    assign_patches({patches.values(0), patches.n(), centers.n_bands, p, p, 0, 0}, centers, fixed,
                   {labels.data(), 1, 1}, nullptr, run.options.compute);
    return labels;
}

void move_patch(PatchSums& sums, std::int64_t from, std::int64_t to, const FixedPoint& fixed,
                const float* patch) {
    --sums.count(from);
    ++sums.count(to);
    for (std::int64_t f = 0; f < sums.n_features(); ++f) {
        const std::int64_t integer = fixed.to_integer(patch[f]);
        sums.sums(from)[static_cast<std::size_t>(f)] -= integer;
        sums.sums(to)[static_cast<std::size_t>(f)] += integer;
    }
}

}  // namespace

void relocate_empty(KMeansRun& run, Communicator& comm, TilePasses& passes, const FixedPoint& fixed,
                    KMeansFit& fit) {
    std::vector<std::int64_t> empty;
    for (std::int64_t k = 0; k < fit.sums.n_clusters(); ++k) {
        if (fit.sums.count(k) == 0) empty.push_back(k);
    }
    const auto n = static_cast<std::int64_t>(empty.size());
    FirstPatches picker(run, n, FirstPatches::Order::Farthest);
    const PatchList farthest = pick_patches(run, comm, passes, fit.centers, picker, n);
    const std::vector<std::uint16_t> labels = labels_of(run, fit.centers, fixed, farthest);
    for (std::int64_t i = 0; i < farthest.n(); ++i) {
        const auto place = static_cast<std::size_t>(i);
        if (labels[place] == 0) throw InternalError("a patch without nodata has no label");
        move_patch(fit.sums, labels[place] - 1, empty[place], fixed, farthest.values(i));
    }
}

}  // namespace rastertide
