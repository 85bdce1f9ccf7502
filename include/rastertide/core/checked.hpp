// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rastertide/core/error.hpp>

namespace rastertide {

/// a * b for sizes and offsets. @throws InvalidArgument if the product does not fit 64 bits
inline std::int64_t checked_mul(std::int64_t a, std::int64_t b) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) {
        throw InvalidArgument("size overflow: " + std::to_string(a) + " x " + std::to_string(b) +
                              " does not fit 64 bits");
    }
    return product;
}

/// Product of three or more sizes. @throws InvalidArgument as above
template <class... Rest>
std::int64_t checked_mul(std::int64_t a, std::int64_t b, Rest... rest) {
    return checked_mul(checked_mul(a, b), static_cast<std::int64_t>(rest)...);
}

}  // namespace rastertide
