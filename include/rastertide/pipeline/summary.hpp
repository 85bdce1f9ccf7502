// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rastertide {

/// What one stage of a run took.
struct StageCost {
    std::string name;
    double seconds = 0;  ///< of the slowest rank; stages that run beside others (reading ahead) overlap them
    std::int64_t bytes = 0;              ///< moved by all ranks together
    std::int64_t peak_memory_bytes = 0;  ///< the most that a rank had held when the stage ended there
};

/// What a run found at one date.
struct DateSummary {
    std::string date;  ///< ISO 8601; empty if the stack has no dates
    std::string scene;
    std::int64_t n_valid = 0;      ///< locations with a score
    std::int64_t n_anomalies = 0;  ///< of these, those above the threshold
    double mean_lof = 0;           ///< NaN if n_valid = 0, as are the next
    double std_lof = 0;
    double max_lof = 0;
};

/// The figures of a LOF run: what summary.json says.
struct LofSummary {
    std::int64_t n_scores = 0;  ///< that are not nodata
    double mean = 0;
    double std = 0;
    double threshold = 0;
    std::int64_t n_anomalies = 0;
    std::int64_t n_locations = 0;            ///< centres of whole patches
    std::int64_t n_anomalous_locations = 0;  ///< with at least one anomaly: the hotspots
    std::int64_t n_tiles = 0;
    std::vector<DateSummary> dates;
    std::vector<StageCost> stages;
    double wall_seconds = 0;
    std::int64_t peak_memory_bytes = 0;  ///< of the rank that used most
};

}  // namespace rastertide
