// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <rastertide/reduce/square_sum.hpp>

namespace rastertide {

void SquareSum::carry() {
    for (std::size_t i = 0; i + 1 < limbs_.size(); ++i) {
        limbs_[i + 1] += limbs_[i] >> kLimbBits;
        limbs_[i] &= kMask;
    }
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
