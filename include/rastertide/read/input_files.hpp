// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rastertide {

/// By which a changed file is known.
struct InputFile {
    std::string name;
    std::int64_t bytes = 0;
    std::int64_t modified = 0;  ///< seconds since 1970
};

/// Sizes and times of files as GDAL names them (/vsi... included); 0 where a file system does not tell.
std::vector<InputFile> input_files(const std::vector<std::string>& names);

}  // namespace rastertide
