// SPDX-License-Identifier: Apache-2.0
// The k smallest of one row of distances: the lane minima bound them, what is below the bound is ranked.

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

HWY_INLINE std::uint32_t largest_up_to(const DistanceRow& row, std::uint32_t limit) {
    VU high = hn::Zero(kU);
    for (std::int64_t slab = 0; slab < row.n_slabs; ++slab) {
        const VU distances = row.load(slab);
        high = hn::Max(high, hn::IfThenElseZero(at_most(distances, hn::Set(kU, limit)), distances));
    }
    return hn::GetLane(hn::MaxOfLanes(kU, high));
}

/// The k-th smallest by halving the range of its bits: about ten passes over a row in the first cache, 31
/// where distances tie. @return `high` if fewer than k are up to it
HWY_INLINE std::uint32_t kth_smallest(const DistanceRow& row, std::int64_t k, std::uint32_t high) {
    std::uint32_t low = smallest(row);
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        const std::int64_t n = count_up_to(row, middle);
        if (n == k) return largest_up_to(row, middle);
        if (n > k) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return high;
}

/// Calls use(place, distance) for the distances of a row up to `limit`, in the order of the dates.
template <class Use>
HWY_INLINE void for_each_up_to(const DistanceRow& row, std::uint32_t limit, Use use) {
    const VU bound = hn::Set(kU, limit);
    for (std::int64_t slab = 0; slab < row.n_slabs; ++slab) {
        for (std::uint64_t word = mask_bits(at_most(row.load(slab), bound)); word != 0; word &= word - 1) {
            const auto lane = static_cast<std::int64_t>(hwy::Num0BitsBelowLS1Bit_Nonzero64(word));
            use(slab * kLanes + lane, row.data[slab * row.slab_floats + lane]);
        }
    }
}

/// The lane minima of a row over every n-th slab: distances of the row, so that their k-th smallest is a
/// bound on the row's.
class RowMinima {
  public:
    HWY_INLINE RowMinima(const DistanceRow& row, std::int64_t n_vectors) : n_vectors_(n_vectors) {
        for (std::int64_t i = 0; i < n_vectors; ++i) {
            VU low = row.load(i);
            for (std::int64_t slab = i + n_vectors; slab < row.n_slabs; slab += n_vectors) {
                low = hn::Min(low, row.load(slab));
            }
            hn::Store(hn::BitCast(kF, low), kF, lows_ + i * kLanes);
        }
    }
    HWY_INLINE DistanceRow row() const { return {lows_, kLanes, n_vectors_}; }

    static constexpr std::int64_t kMost = 16;

  private:
    alignas(64) float lows_[kMost * kLanes] = {};
    std::int64_t n_vectors_;
};

/// Few enough distances of a row to be ranked in their stead.
class Candidates {
  public:
    HWY_INLINE Candidates(const DistanceRow& row, std::uint32_t limit) {
        for_each_up_to(row, limit, [this](std::int64_t place, float distance_sq) HWY_ATTR {
            distances_[n_] = distance_sq;
            dates_[n_++] = static_cast<std::uint16_t>(place);
        });
        hn::StoreU(hn::BitCast(kF, hn::Set(kU, ~0u)), kF, distances_ + n_);
    }
    HWY_INLINE DistanceRow row() const { return {distances_, kLanes, (n_ + kLanes - 1) / kLanes}; }
    HWY_INLINE std::uint16_t date(std::int64_t place) const { return dates_[place]; }

    static constexpr std::int64_t kMost = 256;

  private:
    alignas(64) float distances_[kMost + kLanes];
    std::uint16_t dates_[kMost + kLanes];
    std::int64_t n_ = 0;
};

/// Writes the k smallest of a row; of those that tie for the last place the earliest.
template <class DateOf>
HWY_INLINE void write_smallest(const DistanceRow& row, std::int64_t k, std::uint32_t bound,
                               const Record& record, DateOf date_of) {
    const std::uint32_t kth = kth_smallest(row, k, bound);
    *record.reach = std::sqrt(std::bit_cast<float>(kth));
    std::int64_t n_ties = k - (kth > 0 ? count_up_to(row, kth - 1) : 0);
    std::int64_t n = 0;
    for_each_up_to(row, kth, [&](std::int64_t place, float distance_sq) HWY_ATTR {
        if (std::bit_cast<std::uint32_t>(distance_sq) == kth && n_ties-- <= 0) return;
        record.distances[n] = std::sqrt(distance_sq);
        record.dates[n++] = date_of(place);
    });
}

/// Any k, any number of dates, ties and NaN. @param bound at or above the k-th smallest distance, infinity at
/// most
HWY_NOINLINE void select_exactly(const LofPlan& plan, const DistanceRow& row, std::uint32_t bound,
                                 const Record& record) {
    const std::int64_t k = std::min(plan.k, count_up_to(row, bound));
    *record.count = static_cast<std::uint16_t>(k);
    *record.reach = 0;
    if (k == 0) return;

    // Twice as many minima as neighbours bound them well; few rows have more than twice as many candidates.
    const std::int64_t n_vectors = std::min(row.n_slabs, (2 * k + kLanes - 1) / kLanes);
    if (n_vectors <= RowMinima::kMost) bound = kth_smallest(RowMinima(row, n_vectors).row(), k, bound);
    if (count_up_to(row, bound) <= Candidates::kMost) {
        const Candidates candidates(row, bound);
        write_smallest(candidates.row(), k, bound, record,
                       [&](std::int64_t place) HWY_ATTR { return candidates.date(place); });
    } else {
        write_smallest(row, k, bound, record,
                       [](std::int64_t place) HWY_ATTR { return static_cast<std::uint16_t>(place); });
    }
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
