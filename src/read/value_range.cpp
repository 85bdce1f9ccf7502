// SPDX-License-Identifier: Apache-2.0
#include "read/value_range.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <rastertide/core/error.hpp>

namespace rastertide {

void require_in_range(std::span<const float> values, const std::string& where) {
    const auto beyond = [](float value) { return std::abs(value) > kMaxPixelValue; };
    bool any = false;  // no early end: this loop is vectorised
    for (const float value : values) any |= beyond(value);
    if (!any) return;
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(),
                                   *std::find_if(values.begin(), values.end(), beyond));
    throw InvalidArgument(where + ": pixel value " + std::string(text.data(), end.ptr) +
                          " is out of range, expected at most 1e17 in magnitude; is it a nodata value? give "
                          "it with -srcnodata");
}

}  // namespace rastertide
