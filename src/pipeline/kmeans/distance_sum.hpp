// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {

/// Sum of squared distances of all patches to the nearest of some centres, for several sets of these. The
/// same for any tiles and ranks. Collective.
std::vector<double> distance_sums(KMeansRun& run, TilePasses& passes, const std::vector<PatchCenters>& sets);

}  // namespace rastertide
