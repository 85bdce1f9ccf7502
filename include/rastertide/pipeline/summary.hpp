// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/read/series.hpp>

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
    std::vector<LeftOutInput> left_out;  ///< by -skip_errors
    std::vector<StageCost> stages;
    double wall_seconds = 0;
    std::int64_t peak_memory_bytes = 0;  ///< of the rank that used most
};

/// One number of clusters that was tried.
struct ElbowPoint {
    std::int64_t k = 0;
    double energy = 0;  ///< sum of squared distances of all patches to their centre
    std::int64_t iterations = 0;
};

/// The labels of one date.
struct DateLabels {
    std::string date;  ///< ISO 8601; empty if unknown, or if labels are of all dates together
    std::string scene;
    std::vector<std::int64_t> counts;  ///< [k]: patches of each label
};

/// The figures of a K-Means run: what summary.json says.
struct KMeansSummary {
    std::int64_t n_patches = 0;  ///< that have a label
    std::int64_t k = 0;          ///< of the labels that were written
    double energy = 0;           ///< NaN if nothing was fitted (-model)
    std::int64_t iterations = 0;
    std::vector<std::int64_t> sizes;  ///< [k]
    std::vector<ElbowPoint> elbow;    ///< one per number of clusters; empty with -model
    bool has_knee = false;            ///< k was chosen by the elbow
    std::int64_t n_locations = 0;
    std::int64_t n_tiles = 0;
    std::vector<DateLabels> dates;
    std::vector<LeftOutInput> left_out;  ///< by -skip_errors
    std::vector<StageCost> stages;
    double wall_seconds = 0;
    std::int64_t peak_memory_bytes = 0;  ///< of the rank that used most
};

}  // namespace rastertide
