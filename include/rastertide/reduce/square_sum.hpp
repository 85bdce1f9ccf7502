// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <rastertide/reduce/patch_sums.hpp>

namespace rastertide {

/// The exact sum of squares of fixed-point integers, each counted some times: merges in any order to the same
/// bits.
class SquareSum {
  public:
    /// Adds count * integer^2. @param integer of FixedPoint: at most 2^42 in magnitude; 0 <= count < 2^10
    void add(std::int64_t integer, std::int64_t count) {
        __extension__ using Wide = unsigned __int128;
        const std::uint64_t magnitude = static_cast<std::uint64_t>(integer < 0 ? -integer : integer);
        const Wide square = Wide{magnitude} * magnitude;
        for (int i = 0; i < 3; ++i) {
            const auto limb = static_cast<std::int64_t>(square >> (i * kLimbBits)) & kMask;
            limbs_[static_cast<std::size_t>(i)] += limb * count;
        }
    }
    /// Adds counts[i] * integers[i]^2 of all i, and carries.
    void add(std::span<const std::int64_t> integers, std::span<const std::int64_t> counts);
    static constexpr std::int64_t kMostAdditions = std::int64_t{1} << 20;
    /// To be called at least after every kMostAdditions.
    void carry();
    void merge(const SquareSum& other);

    /// All numbers, to be added element by element over ranks in place after carry().
    std::span<std::int64_t> state() { return limbs_; }
    /// The sum in the units of the pixels, squared.
    long double value(const FixedPoint& fixed) const;

  private:
    /// Of integers below 2^31 in magnitude, at most kMostAdditions.
    void add_narrow(std::span<const std::int64_t> integers, std::span<const std::int64_t> counts);

    static constexpr int kLimbBits = 30;
    static constexpr std::int64_t kMask = (std::int64_t{1} << kLimbBits) - 1;
    std::array<std::int64_t, 4> limbs_{};  // base 2^30, least significant first; never negative
};

}  // namespace rastertide
