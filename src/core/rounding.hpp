// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace rastertide {

/// The nearest multiple of `unit` that is not below a value, or not above it; values are not negative.
constexpr std::int64_t round_up(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit * unit;
}
constexpr std::int64_t round_down(std::int64_t value, std::int64_t unit) { return value / unit * unit; }

}  // namespace rastertide
