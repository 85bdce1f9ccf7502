// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <rastertide/pipeline/run_kmeans.hpp>

namespace rastertide {

/// The words of -algorithm and -init.
std::string to_string(KMeansAlgorithm algorithm);
std::string to_string(KMeansInit init);

}  // namespace rastertide
