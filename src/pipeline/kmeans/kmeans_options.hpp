// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <rastertide/pipeline/run_kmeans.hpp>

namespace rastertide {

/// The words of -algorithm and -init.
std::string to_string(KMeansAlgorithm algorithm);
std::string to_string(KMeansInit init);

/// -k as the user gives it: "8", "2:16".
std::string clusters_text(const RunKMeansOptions& options);

/// @throws InvalidArgument  fewer than the clusters that are wanted
void require_patches(const RunKMeansOptions& options, std::int64_t n_patches);

}  // namespace rastertide
