// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace rastertide {

/// Squared differences of larger values overflow Float32 once they are summed over a patch. Values as large
/// are nodata values that nobody declared.
inline constexpr float kMaxPixelValue = 1e17F;

/// @param where  "'x.tif', band 1"
/// @throws InvalidArgument  a value (not NaN) is beyond kMaxPixelValue
void require_in_range(std::span<const float> values, const std::string& where);

}  // namespace rastertide
