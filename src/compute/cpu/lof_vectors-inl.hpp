// SPDX-License-Identifier: Apache-2.0
// The vectors that every phase shares, and what Highway lacks for them.

#if defined(RASTERTIDE_LOF_VECTORS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_LOF_VECTORS_INL_HPP
#undef RASTERTIDE_LOF_VECTORS_INL_HPP
#else
#define RASTERTIDE_LOF_VECTORS_INL_HPP
#endif

#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

#include "compute/cpu/lof_plan.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Distances are never negative, so their bits order as unsigned integers do, which have twice the throughput
// of floats in min and max, and put NaN last.
using DF = hn::CappedTag<float, kMaxLanes>;
using DU = hn::RebindToUnsigned<DF>;
using VF = hn::Vec<DF>;
using VU = hn::Vec<DU>;
inline constexpr DF kF{};
inline constexpr DU kU{};
inline constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(kF));

inline constexpr int kLaneBits = static_cast<int>(hwy::CeilLog2(static_cast<std::uint64_t>(kLanes)));

inline constexpr std::uint32_t kInfinityBits = 0x7F800000;

/// Distances as integers.
HWY_INLINE VU load_bits(const float* from) { return hn::BitCast(kU, hn::LoadU(kF, from)); }

/// a <= b as unsigned integers.
HWY_INLINE hn::Mask<DU> at_most(const VU a, const VU b) {
#if HWY_CAP_GE512
    return hn::Mask<DU>{_mm512_cmple_epu32_mask(a.raw, b.raw)};
#else
    return hn::Eq(hn::Min(a, b), a);
#endif
}

/// Bit i is lane i.
HWY_INLINE std::uint64_t mask_bits(const hn::Mask<DU> mask) {
#if HWY_CAP_GE512
    return mask.raw;
#else
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(kU, mask, bytes);
    std::uint64_t bits;
    std::memcpy(&bits, bytes, sizeof bits);
    return bits;
#endif
}

HWY_INLINE std::int64_t count_bits(std::uint64_t bits) {
    return static_cast<std::int64_t>(hwy::PopCount(bits));
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
