// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace rastertide {

/// The shortest text that reads back to the same number; empty for NaN, as CSV readers expect.
template <class Number>
std::string number_text(Number value) {
    if (std::isnan(static_cast<double>(value))) return "";
    std::array<char, 32> text{};
    const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), result.ptr};
}

}  // namespace rastertide
