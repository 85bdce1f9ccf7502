// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <rastertide/reduce/exact_sum.hpp>

namespace rastertide {
namespace {

__extension__ using uint128 = unsigned __int128;

constexpr int kLimbBits = 32;
constexpr std::int64_t kLimbMask = 0xffffffff;
constexpr int kFractionBits = 128;  // of the fixed point number
constexpr int kMagnitudeBits = 127;
// A limb holds 63 bits and a term adds less than 2^32 to it: carry before 2^31 terms could overflow it.
constexpr std::int64_t kMaxPending = std::int64_t{1} << 30;

}  // namespace

void ExactSum::add(double term) {
    const auto bits = std::bit_cast<std::uint64_t>(term);
    const int biased_exponent = static_cast<int>((bits >> 52) & 0x7ff);
    std::uint64_t mantissa = bits & 0xfffffffffffff;
    // A subnormal double lies far below 2^-128: it is truncated to 0 like every term that small.
    int position = biased_exponent - 1075 + kFractionBits;
    mantissa |= std::uint64_t{1} << 52;
    if (position + 52 >= kFractionBits + kMagnitudeBits) {
        ++n_overflows_;
        return;
    }
    if (position < 0) {
        if (position <= -53) return;
        mantissa >>= -position;
        position = 0;
    }
    const auto limb = static_cast<std::size_t>(position / kLimbBits);
    const uint128 wide = static_cast<uint128>(mantissa) << (position % kLimbBits);
    const std::int64_t sign = (bits >> 63) != 0 ? -1 : 1;
    limbs_[limb] += sign * static_cast<std::int64_t>(wide & kLimbMask);
    limbs_[limb + 1] += sign * static_cast<std::int64_t>((wide >> 32) & kLimbMask);
    limbs_[limb + 2] += sign * static_cast<std::int64_t>(wide >> 64);
    if (++n_pending_ == kMaxPending) carry();
}

void ExactSum::merge(const ExactSum& other) {
    ExactSum normal = other;
    normal.carry();
    for (std::size_t i = 0; i < limbs_.size(); ++i) limbs_[i] += normal.limbs_[i];
    n_overflows_ += other.n_overflows_;
    if (++n_pending_ == kMaxPending) carry();
}

void ExactSum::carry() {
    for (std::size_t i = 0; i + 1 < limbs_.size(); ++i) {
        limbs_[i + 1] += limbs_[i] >> kLimbBits;
        limbs_[i] &= kLimbMask;
    }
    n_pending_ = 0;
}

long double ExactSum::value() const {
    if (n_overflows_ > 0) return std::numeric_limits<long double>::infinity();
    ExactSum magnitude = *this;
    magnitude.carry();
    const bool negative = magnitude.limbs_.back() < 0;
    if (negative) {  // so that the leading limbs of a small negative sum do not cancel
        for (std::int64_t& limb : magnitude.limbs_) limb = -limb;
        magnitude.carry();
    }
    long double sum = 0;
    for (std::size_t i = magnitude.limbs_.size(); i-- > 0;) {
        sum += std::ldexp(static_cast<long double>(magnitude.limbs_[i]),
                          static_cast<int>(i) * kLimbBits - kFractionBits);
    }
    return negative ? -sum : sum;
}

std::array<std::int64_t, ExactSum::kStateSize> ExactSum::state() const {
    ExactSum normal = *this;
    normal.carry();
    std::array<std::int64_t, kStateSize> state{};
    std::copy(normal.limbs_.begin(), normal.limbs_.end(), state.begin());
    state.back() = n_overflows_;
    return state;
}

ExactSum ExactSum::from_state(std::span<const std::int64_t, kStateSize> state) {
    ExactSum sum;
    std::copy(state.begin(), state.end() - 1, sum.limbs_.begin());
    sum.n_overflows_ = state.back();
    sum.carry();
    return sum;
}

}  // namespace rastertide
