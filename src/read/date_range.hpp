// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace rastertide {

/// Whether a time is one of the years 0 to 9999: those of ISO 8601, and well within the range of
/// std::chrono::year.
constexpr bool has_iso_year(std::int64_t seconds) {
    constexpr std::int64_t kYear0 = -62167219200, kYear10000 = 253402300800;
    return seconds >= kYear0 && seconds < kYear10000;
}

}  // namespace rastertide
