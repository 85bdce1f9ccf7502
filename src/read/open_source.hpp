// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "read/source.hpp"

namespace rastertide {

/// By whoever reads the name best. @throws IoError, InvalidArgument
std::unique_ptr<RasterSource> open_source(const std::string& name, const SourceOptions& options);

}  // namespace rastertide
