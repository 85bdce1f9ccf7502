// SPDX-License-Identifier: Apache-2.0
// The k smallest of every row of distances, by groups of kLanes rows that stay in the first cache.
//
// The lane minima of a row are 32 distinct distances, so their k-th smallest bounds the k-th smallest of all:
// about 1.2 k candidates are below it for k = 10. Sixteen or fewer are ranked by a network; other rows go the
// exact way of lof_select_exact-inl.hpp, which knows no limits. For more neighbours there are twice and four
// times as many minima and candidates.

#if defined(RASTERTIDE_LOF_SELECT_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_LOF_SELECT_INL_HPP
#undef RASTERTIDE_LOF_SELECT_INL_HPP
#else
#define RASTERTIDE_LOF_SELECT_INL_HPP
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

#include "compute/cpu/lof_networks-inl.hpp"
#include "compute/cpu/lof_phases.hpp"
#include "compute/cpu/lof_plan.hpp"
#include "compute/cpu/lof_scratch.hpp"
#include "compute/cpu/lof_select_exact-inl.hpp"
#include "compute/cpu/lof_vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

/// Most neighbours for which 16, 32, 64 candidates are enough in most rows: of 363 dates that are all alike
/// 13 are expected for k = 11, 29 for 24, 55 for 48, and one row in 30, 15, 300 has more than fit.
inline constexpr std::int64_t kMostOf16 = 11;
inline constexpr std::int64_t kMostOf32 = 24;
inline constexpr std::int64_t kMostOf64 = 48;

/// A record is written with as many distances as there are candidates, also past its k and past its end.
constexpr bool fits_with_slack(std::int64_t least_k, std::int64_t n_candidates) {
    return n_candidates * static_cast<std::int64_t>(sizeof(float)) <=
           LofPlan::record_bytes_of(least_k) + kRecordSlackBytes;
}
static_assert(fits_with_slack(1, 16) && fits_with_slack(kMostOf16 + 1, 32) &&
              fits_with_slack(kMostOf32 + 1, 64));

/// kLanes rows of distances, one after the other in each slab.
struct GroupRows {
    const float* first;
    std::int64_t slab_floats;
    std::int64_t n_slabs;

    HWY_INLINE DistanceRow row(std::int64_t r) const { return {first + r * kLanes, slab_floats, n_slabs}; }
};

/// kLanes rows of distances on their way through the phases, with as many candidates as kNetworks rank.
template <int kNetworks>
struct Group {
    static constexpr std::int64_t kMost = kNetworks * kNetwork;
    static constexpr std::int64_t kMinimaSets = 2 * kMost / kLanes;

    alignas(64) std::uint32_t bounds[kLanes];
    alignas(64) std::uint32_t kth[kLanes];
    alignas(64) std::uint32_t candidates[kLanes][kMost];
    /// kMost dates are stored at a time, also past the last candidate.
    alignas(64) std::uint16_t dates[kLanes][2 * kMost];
    std::int64_t n_candidates[kLanes];
};

/// Rows whose minima are found together: as many as there are registers for.
inline constexpr std::int64_t kRowsAtOnce = std::min<std::int64_t>(kLanes, 8);

/// Lane minima of kRowsAtOnce rows, over every kSets-th slab; minima[i][r] are the i-th 16 of row r.
template <std::int64_t kSets>
HWY_INLINE void find_minima(const DistanceRow& first, std::int64_t r,
                            std::uint32_t (*minima)[kLanes][kNetwork]) {
    for (std::int64_t set = 0; set < kSets; ++set) {
        VU lows[kRowsAtOnce];
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < kRowsAtOnce; ++i) lows[i] = hn::Set(kU, ~0u);
        for (std::int64_t slab = set; slab < first.n_slabs; slab += kSets) {
            const float* distances = first.data + slab * first.slab_floats;
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kRowsAtOnce; ++i)
                lows[i] = hn::Min(lows[i], load_bits(distances + i * kLanes));
        }
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < kRowsAtOnce; ++i) {
            hn::Store(lows[i], kU, &minima[set * kLanes / kNetwork][r + i][set * kLanes % kNetwork]);
        }
    }
}

/// Bounds on the k-th distance of each row, infinity at most: NaN must not become a candidate.
template <int kNetworks>
HWY_INLINE void find_bounds(const LofPlan& plan, const GroupRows& rows, Group<kNetworks>& group) {
    constexpr std::int64_t kMost = Group<kNetworks>::kMost;
    alignas(64) std::uint32_t minima[2 * kNetworks][kLanes][kNetwork];
    for (std::int64_t r = 0; r < kLanes; r += kRowsAtOnce) {
        find_minima<Group<kNetworks>::kMinimaSets>(rows.row(r), r, minima);
    }
    alignas(64) std::uint32_t sorted[2][kMost * kLanes];
    for (std::int64_t i = 0; i < 2 * kNetworks; ++i) {
        sort_rows(&minima[i][0][0], kNetwork, sorted[i / kNetworks] + i % kNetworks * kNetwork * kLanes);
    }
    for (auto& half : sorted) merge_sorted<kNetworks>(half);
    const VU kth = kth_of_two(sorted[0], sorted[1], kMost, plan.k);
    hn::Store(hn::Min(kth, hn::Set(kU, kInfinityBits)), kU, group.bounds);
}

/// Appends the dates of the set bits of `word`, which begins at `date`. At most kMost are of use.
template <std::int64_t kMost>
HWY_INLINE void append_dates(std::uint64_t word, std::int64_t date, std::uint16_t* dates, std::int64_t n) {
#if HWY_TARGET == HWY_AVX3_DL
    // 64 dates by one compress of bytes: as 32-bit lanes they would take four, at 5 cycles each on Zen 4.
    alignas(64) static constexpr std::uint8_t kIota[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const __m512i hits = _mm512_maskz_compress_epi8(word, _mm512_load_si512(kIota));
    std::uint16_t* to = dates + std::min(n, kMost);
    const __m512i first = _mm512_set1_epi16(static_cast<short>(date));
    if constexpr (kMost == kNetwork) {
        const __m256i wide = _mm256_cvtepu8_epi16(_mm512_castsi512_si128(hits));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                            _mm256_add_epi16(wide, _mm512_castsi512_si256(first)));
    } else {
        const __m512i wide = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(hits));
        _mm512_storeu_si512(to, _mm512_add_epi16(wide, first));
    }
    if constexpr (kMost > 2 * kNetwork) {
        const __m512i high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(hits, 1));
        _mm512_storeu_si512(to + 2 * kNetwork, _mm512_add_epi16(high, first));
    }
#else
    for (; word != 0 && n < kMost; word &= word - 1) {
        dates[n++] = static_cast<std::uint16_t>(
            date + static_cast<std::int64_t>(hwy::Num0BitsBelowLS1Bit_Nonzero64(word)));
    }
#endif
}

/// Lists the dates at or below each row's bound, in order.
template <int kNetworks>
HWY_INLINE void find_candidates(const GroupRows& rows, Group<kNetworks>& group) {
    constexpr std::int64_t kWordSlabs = 64 / kLanes;
    for (std::int64_t r = 0; r < kLanes; ++r) {
        const DistanceRow row = rows.row(r);
        const VU bound = hn::Set(kU, group.bounds[r]);
        std::int64_t n = 0;
        for (std::int64_t slab = 0; slab < row.n_slabs; slab += kWordSlabs) {
            std::uint64_t word = 0;
            const std::int64_t n_slabs = std::min(kWordSlabs, row.n_slabs - slab);
            for (std::int64_t i = 0; i < n_slabs; ++i) {
                word |= mask_bits(at_most(row.load(slab + i), bound)) << (i * kLanes);
            }
            append_dates<Group<kNetworks>::kMost>(word, slab * kLanes, group.dates[r], n);
            n += count_bits(word);
        }
        group.n_candidates[r] = n;
    }
}

/// Whether the networks can rank a row's candidates.
template <int kNetworks>
HWY_INLINE bool fits(const LofPlan& plan, const Group<kNetworks>& group, std::int64_t r) {
    return group.n_candidates[r] >= plan.k && group.n_candidates[r] <= Group<kNetworks>::kMost;
}

/// Where in a row the distances to these dates are.
HWY_INLINE hn::Vec<hn::RebindToSigned<DU>> places_of(const DistanceRow& row,
                                                     const hn::Vec<hn::RebindToSigned<DU>> dates) {
    const hn::RebindToSigned<DU> d32;
    const auto slab_floats = hn::Set(d32, static_cast<std::int32_t>(row.slab_floats));
    const auto slabs = hn::ShiftRight<kLaneBits>(dates);
    return hn::Add(hn::Mul(slabs, slab_floats), hn::And(dates, hn::Set(d32, kLanes - 1)));
}

/// The k-th smallest of kNetworks sorted sixteens of each lane.
template <int kNetworks>
HWY_INLINE VU kth_of_sixteens(std::uint32_t* sorted, std::int64_t k) {
    if constexpr (kNetworks == 1) {
        return hn::Load(kU, sorted + (k - 1) * kLanes);
    } else {
        constexpr std::int64_t kHalf = kNetworks / 2 * kNetwork;
        merge_sorted<kNetworks / 2>(sorted);
        merge_sorted<kNetworks / 2>(sorted + kHalf * kLanes);
        return kth_of_two(sorted, sorted + kHalf * kLanes, kHalf, k);
    }
}

/// The k-th smallest distance of each row whose candidates fit the networks.
template <int kNetworks>
HWY_INLINE void rank_candidates(const LofPlan& plan, const GroupRows& rows, Group<kNetworks>& group) {
    const hn::Rebind<std::uint16_t, DU> d16;
    const hn::RebindToSigned<DU> d32;
    for (std::int64_t r = 0; r < kLanes; ++r) {
        const DistanceRow row = rows.row(r);
        for (std::int64_t c = 0; c < Group<kNetworks>::kMost; c += kLanes) {
            const auto dates = hn::PromoteTo(d32, hn::Load(d16, group.dates[r] + c));
            const VU bits = hn::BitCast(kU, hn::GatherIndex(kF, row.data, places_of(row, dates)));
            const std::int64_t n = std::clamp<std::int64_t>(group.n_candidates[r] - c, 0, kLanes);
            const auto used = hn::FirstN(kU, static_cast<std::size_t>(n));
            hn::Store(hn::IfThenElse(used, bits, hn::Set(kU, ~0u)), kU, &group.candidates[r][c]);
        }
    }
    alignas(64) std::uint32_t sorted[kNetworks * kNetwork * kLanes];
    for (std::int64_t i = 0; i < kNetworks; ++i) {
        sort_rows(&group.candidates[0][i * kNetwork], Group<kNetworks>::kMost,
                  sorted + i * kNetwork * kLanes);
    }
    hn::Store(kth_of_sixteens<kNetworks>(sorted, plan.k), kU, group.kth);
}

/// Writes the record of one row: its candidates up to `kth`. @return their number, more than k where the k-th
/// ties
template <int kNetworks>
HWY_INLINE std::int64_t write_record(const Group<kNetworks>& group, std::int64_t r, const Record& record) {
    constexpr std::int64_t kMost = Group<kNetworks>::kMost;
    const hn::Rebind<std::uint16_t, DU> d16;
    const hn::RebindToSigned<DU> d32;
    const VU kth = hn::Set(kU, group.kth[r]);
    alignas(64) float distances[kMost + kNetwork];
    alignas(64) std::uint16_t dates[kMost + kNetwork];
    std::int64_t n = 0;
    for (std::int64_t c = 0; c < kMost; c += kLanes) {
        const VU bits = hn::Load(kU, &group.candidates[r][c]);
        const auto chosen = at_most(bits, kth);
        const VF roots = hn::Sqrt(hn::BitCast(kF, bits));
        const auto candidates = hn::PromoteTo(d32, hn::Load(d16, group.dates[r] + c));
        hn::StoreU(hn::Compress(roots, hn::RebindMask(kF, chosen)), kF, distances + n);
        hn::StoreU(hn::DemoteTo(d16, hn::Compress(candidates, hn::RebindMask(d32, chosen))), d16, dates + n);
        n += static_cast<std::int64_t>(hn::CountTrue(kU, chosen));
    }
    std::memcpy(record.distances, distances, kMost * sizeof(float));
    std::memcpy(record.dates, dates, kMost * sizeof(std::uint16_t));
    return n;
}

/// One pass: the two dates from `date` on, at every location of a block.
struct SelectPass {
    const LofPlan& plan;
    const Block& block;
    const LofScratch& scratch;
    std::int64_t date;
    std::int64_t n_rows;  ///< rows of distances: one of each location at each date of the pass

    /// What select() writes lies in the order in which it comes: all locations of a date, then the next date.
    std::int64_t place(std::int64_t row) const { return date * block.n_locations() + row; }

    Record record(std::int64_t row) const {
        auto* distances = reinterpret_cast<float*>(scratch.records + place(row) * plan.record_bytes);
        return {distances, reinterpret_cast<std::uint16_t*>(distances + plan.k), scratch.counts + place(row),
                scratch.reach + place(row)};
    }
};

template <int kNetworks>
HWY_INLINE void write_records(const SelectPass& pass, std::int64_t first_row, const GroupRows& rows,
                              const Group<kNetworks>& group) {
    const VF reach = hn::Sqrt(hn::BitCast(kF, hn::Load(kU, group.kth)));
    hn::StoreU(reach, kF, pass.scratch.reach + pass.place(first_row));
    const std::int64_t n = std::min(kLanes, pass.n_rows - first_row);
    for (std::int64_t r = 0; r < n; ++r) {
        const Record record = pass.record(first_row + r);
        if (fits(pass.plan, group, r) && write_record(group, r, record) == pass.plan.k) {
            *record.count = static_cast<std::uint16_t>(pass.plan.k);
        } else {
            select_exactly(pass.plan, rows.row(r), group.bounds[r], record);
        }
    }
}

template <int kNetworks>
HWY_NOINLINE void select_by_networks(const SelectPass& pass, const GroupRows& all, PhaseClock& clock) {
    Group<kNetworks> group{};
    for (std::int64_t first = 0; first < pass.n_rows; first += kLanes) {
        const GroupRows rows{all.row(first).data, all.slab_floats, all.n_slabs};
        find_bounds(pass.plan, rows, group);
        clock.lap(Phase::Bound);
        find_candidates(rows, group);
        clock.lap(Phase::Compress);
        rank_candidates(pass.plan, rows, group);
        write_records(pass, first, rows, group);
        clock.lap(Phase::Rank);
    }
}

/// Fills the records of the pass from scratch.distances.
HWY_INLINE void select_neighbors(const SelectPass& pass, PhaseClock& clock) {
    const LofPlan& plan = pass.plan;
    const GroupRows all{pass.scratch.distances, plan.distance_slab_floats, plan.n_slabs};
    if (plan.k <= kMostOf16) return select_by_networks<1>(pass, all, clock);
    if (plan.k <= kMostOf32) return select_by_networks<2>(pass, all, clock);
    if (plan.k <= kMostOf64) return select_by_networks<4>(pass, all, clock);
    for (std::int64_t row = 0; row < pass.n_rows; ++row) {
        select_exactly(plan, all.row(row), kInfinityBits, pass.record(row));
    }
    clock.lap(Phase::Rank);
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
