// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {

/// Reads a model file whose patches, bands and scale must be those of the run.
/// @throws InvalidArgument  naming the file and what differs; as read_kmeans_model()
KMeansModel read_stack_model(const KMeansRun& run, const std::string& path);

/// The centres of -init FILE, as many as -k says. @throws InvalidArgument  as read_stack_model()
PatchCenters read_start(const KMeansRun& run);

}  // namespace rastertide
