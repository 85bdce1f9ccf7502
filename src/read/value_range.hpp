// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include <rastertide/compute/lof.hpp>

namespace rastertide {

/// Values beyond kMaxPixelValue are nodata values that nobody declared. @param where  "'x.tif', band 1"
/// @throws InvalidArgument  a value (not NaN) is beyond kMaxPixelValue
void require_in_range(std::span<const float> values, const std::string& where);

}  // namespace rastertide
