// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <rastertide/pipeline/summary.hpp>

namespace rastertide {

/// per_date.csv: date, valid, anomalies, mean_lof, max_lof; one line a date, numbers in the shortest form
/// that reads back to the same double. A stack without dates has the scene's number in the first column.
std::string per_date_csv(const std::vector<DateSummary>& dates);

/// per_date.svg: a bar per date, as high as the share of its locations that are anomalous.
std::string per_date_svg(const std::vector<DateSummary>& dates);

}  // namespace rastertide
