// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {

/// Patches, bands and scale of run.given must be those of the run, and a start's number of centres -k.
/// @throws InvalidArgument  naming the file and what differs
void require_model_fits(const KMeansRun& run);

}  // namespace rastertide
