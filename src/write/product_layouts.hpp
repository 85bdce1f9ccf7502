// SPDX-License-Identifier: Apache-2.0
// What each product is beside its pixels, be it written by a run or computed when it is read: name, type,
// nodata, bands, and names and colours of its values. Run parameters and statistics are the caller's to add.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/lof.hpp>
#include <rastertide/read/series.hpp>
#include <rastertide/write/mosaic.hpp>

namespace rastertide {

/// Names of the products: folders of their shards and stems of their files.
inline constexpr const char* kLofProduct = "lof";
inline constexpr const char* kAnomalyProduct = "anomaly";
inline constexpr const char* kCountProduct = "anomaly_count";
inline constexpr const char* kMaxProduct = "lof_max";
inline constexpr const char* kMaxDateProduct = "lof_max_date";
inline constexpr const char* kLabelProduct = "labels";

/// ISO dates, [n_dates]; empty texts in a stack without dates.
using DateTexts = std::vector<std::string>;
DateTexts date_texts(const RasterSeries& series);

Product lof_layout(SampleType type, double nodata, const DateTexts& dates);
Product anomaly_layout(const DateTexts& dates);
Product anomaly_count_layout();
Product lof_max_layout(SampleType type, double nodata);
Product lof_max_date_layout(const DateTexts& dates);
/// 0 is nodata; one more value is left unused, so that readers may take 255 for nodata.
SampleType label_type(std::int64_t n_clusters);
/// @param dates  none: the one band of features over time
Product label_layout(std::int64_t n_clusters, const DateTexts& dates);

/// What every product of LOF says of its parameters. @param threshold  none: not known
MetadataItems lof_metadata(const LofParams& params, PixelScale scale, const std::string& threshold_rule,
                           std::optional<double> threshold);
/// What every product of K-Means says of its parameters.
MetadataItems kmeans_metadata(const PatchCenters& centers, bool time_features, PixelScale scale);

}  // namespace rastertide
