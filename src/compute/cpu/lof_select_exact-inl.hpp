// SPDX-License-Identifier: Apache-2.0
// The k smallest of one row of distances for any k and any number of dates, ties and NaN.

#if defined(RASTERTIDE_LOF_SELECT_EXACT_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_LOF_SELECT_EXACT_INL_HPP
#undef RASTERTIDE_LOF_SELECT_EXACT_INL_HPP
#else
#define RASTERTIDE_LOF_SELECT_EXACT_INL_HPP
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include <hwy/highway.h>

#include "compute/cpu/lof_plan.hpp"
#include "compute/cpu/lof_vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

/// Distances of one date at one location to all dates: a vector of them in each slab.
struct DistanceRow {
    const float* data;
    std::int64_t slab_floats;
    std::int64_t n_slabs;

    HWY_INLINE VU load(std::int64_t slab) const { return load_bits(data + slab * slab_floats); }
};

/// Where one date's neighbours at one location go.
struct Record {
    float* distances;
    std::uint16_t* dates;
    std::uint16_t* count;
    float* reach;
};

/// Distances of the row at or below `limit`.
HWY_INLINE std::int64_t count_up_to(const DistanceRow& row, std::uint32_t limit) {
    const VU bound = hn::Set(kU, limit);
    std::int64_t n = 0;
    for (std::int64_t slab = 0; slab < row.n_slabs; ++slab) {
        n += static_cast<std::int64_t>(hn::CountTrue(kU, at_most(row.load(slab), bound)));
    }
    return n;
}

HWY_INLINE std::uint32_t smallest(const DistanceRow& row) {
    VU low = row.load(0);
    for (std::int64_t slab = 1; slab < row.n_slabs; ++slab) low = hn::Min(low, row.load(slab));
    return hn::GetLane(hn::MinOfLanes(kU, low));
}

/// The k-th smallest by halving the range of its bits: at most 31 passes over a row in the first cache,
/// whatever k.
HWY_INLINE std::uint32_t kth_smallest(const DistanceRow& row, std::int64_t k, std::uint32_t high) {
    std::uint32_t low = smallest(row);
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (count_up_to(row, middle) >= k) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return high;
}

/// @param bound at or above the k-th smallest distance, infinity at most
HWY_NOINLINE void select_exactly(const LofPlan& plan, const DistanceRow& row, std::uint32_t bound,
                                 const Record& record) {
    const std::int64_t k = std::min(plan.k, count_up_to(row, bound));
    *record.count = static_cast<std::uint16_t>(k);
    *record.reach = 0;
    if (k == 0) return;

    const std::uint32_t kth = kth_smallest(row, k, bound);
    *record.reach = std::sqrt(std::bit_cast<float>(kth));
    std::int64_t n_ties = k - (kth > 0 ? count_up_to(row, kth - 1) : 0);
    const VU last = hn::Set(kU, kth);
    std::int64_t n = 0;
    for (std::int64_t slab = 0; n < k; ++slab) {
        std::uint64_t word = mask_bits(at_most(row.load(slab), last));
        for (; word != 0; word &= word - 1) {
            const auto lane = static_cast<std::int64_t>(hwy::Num0BitsBelowLS1Bit_Nonzero64(word));
            const float distance_sq = row.data[slab * row.slab_floats + lane];
            if (std::bit_cast<std::uint32_t>(distance_sq) == kth && n_ties-- <= 0) continue;
            record.distances[n] = std::sqrt(distance_sq);
            record.dates[n++] = static_cast<std::uint16_t>(slab * kLanes + lane);
        }
    }
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
