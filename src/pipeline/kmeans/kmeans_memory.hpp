// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {

/// How a K-Means run with complete options is to be cut into tiles.
TileRequest kmeans_tile_request(const RunKMeansOptions& options, const RasterSeries& series, int node_size);

/// How many of n_patches the run draws as a sample; 0: it needs none.
std::int64_t sample_size(const KMeansRun& run, std::int64_t n_patches);

/// The step of the run's StackShare.
std::int64_t share_step(const KMeansRun& run);
/// What is planned of it for this rank.
std::int64_t planned_share_bytes(const KMeansRun& run);

/// What -mem leaves for pixels that stay in memory from pass to pass.
std::int64_t bytes_to_keep(const KMeansRun& run);

}  // namespace rastertide
