// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <gdal.h>

namespace rastertide {

/// Names under which GDAL opens the datasets that a file holds beside, or in place of, its bands.
std::vector<std::string> subdatasets_of(GDALDatasetH dataset);

/// The name under which GDAL opens the dataset that -dataset means; empty if `opened` is it.
/// @throws InvalidArgument  there is none, with those that are there
std::string name_of_subdataset(GDALDatasetH opened, const std::string& file, const std::string& wanted);

}  // namespace rastertide
