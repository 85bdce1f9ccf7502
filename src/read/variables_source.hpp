// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "read/source.hpp"

namespace rastertide {

/// Variables of one file as one source: the bands of the first, then those of the second, and so on;
/// info().variables are their names. @param variables  two or more
/// @throws InvalidArgument  a variable is missing, or differs from the first in its grid or dates
/// @throws IoError
std::unique_ptr<RasterSource> open_variables(const std::string& name,
                                             const std::vector<std::string>& variables,
                                             const SourceOptions& options);

}  // namespace rastertide
