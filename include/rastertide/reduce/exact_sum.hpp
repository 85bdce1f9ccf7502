// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace rastertide {

/// A sum of doubles in 320-bit fixed point: integer addition is associative, so the result is the same bit
/// for bit in whatever order, on whatever number of threads and ranks, the terms and partial sums come
/// together.
///
/// Terms are truncated to multiples of 2^-128; a term of 2^127 or more in magnitude, or one that is not
/// finite, makes the sum infinite. The idea is the small superaccumulator of Neal (2015, arXiv:1505.05571).
class ExactSum {
  public:
    static constexpr int kLimbs = 10;

    void add(double term);
    /// Adds another partial sum.
    void merge(const ExactSum& other);
    /// The sum, in extended precision since callers subtract large sums; infinite after a term out of range.
    long double value() const;

    /// The state as plain integers, which may be added element by element over up to 2^30 ranks.
    static constexpr int kStateSize = kLimbs + 1;
    std::array<std::int64_t, kStateSize> state() const;
    static ExactSum from_state(std::span<const std::int64_t, kStateSize> state);

  private:
    void carry();

    std::array<std::int64_t, kLimbs>
        limbs_{};                   // base 2^32, least significant first, signed and not normalised
    std::int64_t n_overflows_ = 0;  // terms out of range
    std::int64_t n_pending_ = 0;    // additions since the last carry()
};

}  // namespace rastertide
