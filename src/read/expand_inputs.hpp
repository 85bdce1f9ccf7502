// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace rastertide {

/// What becomes of a folder's files that look like its rasters and are none.
enum class Damaged { Refuse, Keep };

/// The rasters that a user's inputs mean: folders become their rasters (sorted by name, sub-folders left
/// out), the lines of `input_file_list` are added. GDAL's drivers must be registered.
/// @throws InvalidArgument nothing is left; IoError the list or a folder cannot be read, or a file is no
/// raster but has the extension of the folder's rasters, unless these are kept
std::vector<std::string> expand_inputs(const std::vector<std::string>& inputs,
                                       const std::string& input_file_list, Damaged damaged = Damaged::Refuse);

}  // namespace rastertide
