// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <rastertide/reduce/square_sum.hpp>

namespace rastertide {

void SquareSum::carry() {
    for (std::size_t i = 0; i + 1 < limbs_.size(); ++i) {
        limbs_[i + 1] += limbs_[i] >> kLimbBits;
        limbs_[i] &= kMask;
    }
}

void SquareSum::add(std::span<const std::int64_t> integers, std::span<const std::int64_t> counts) {
    constexpr auto kMost = static_cast<std::size_t>(kMostAdditions);
    for (std::size_t first = 0; first < integers.size(); first += kMost) {
        const std::size_t n = std::min(kMost, integers.size() - first);
        const auto of_part = integers.subspan(first, n), counts_of_part = counts.subspan(first, n);
        std::uint64_t magnitudes = 0;
        for (const std::int64_t integer : of_part)
            magnitudes |= static_cast<std::uint64_t>(integer ^ (integer >> 63));
        if (magnitudes >> 31 == 0) {
            add_narrow(of_part, counts_of_part);
        } else {
            for (std::size_t i = 0; i < n; ++i) add(of_part[i], counts_of_part[i]);
        }
        carry();
    }
}

void SquareSum::add_narrow(std::span<const std::int64_t> integers, std::span<const std::int64_t> counts) {
    std::uint64_t low = 0, high = 0;
    for (std::size_t i = 0; i < integers.size(); ++i) {
        // As 32 bits: their product with 64 bits is one that vectors have.
        const auto magnitude = static_cast<std::uint32_t>(std::abs(integers[i]));
        const auto count = static_cast<std::uint32_t>(counts[i]);
        const std::uint64_t square = std::uint64_t{magnitude} * magnitude;
        low += std::uint64_t{static_cast<std::uint32_t>(square & kMask)} * count;
        high += (square >> kLimbBits) * count;
    }
    limbs_[0] += static_cast<std::int64_t>(low);
    limbs_[1] += static_cast<std::int64_t>(high);
}

void SquareSum::merge(const SquareSum& other) {
    for (std::size_t i = 0; i < limbs_.size(); ++i) limbs_[i] += other.limbs_[i];
    carry();
}

long double SquareSum::value(const FixedPoint& fixed) const {
    // What is rounded must not depend on how the sum came about.
    SquareSum carried = *this;
    carried.carry();
    long double sum = 0;
    for (std::size_t i = limbs_.size(); i-- > 0;) {
        sum = std::ldexp(sum, kLimbBits) + static_cast<long double>(carried.limbs_[i]);
    }
    return std::ldexp(sum, -2 * fixed.exponent);
}

}  // namespace rastertide
