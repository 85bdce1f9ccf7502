// SPDX-License-Identifier: Apache-2.0
// Order statistics of kLanes rows at once: a row a lane, so that a comparator is one minimum and one maximum.

#if defined(RASTERTIDE_LOF_NETWORKS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_LOF_NETWORKS_INL_HPP
#undef RASTERTIDE_LOF_NETWORKS_INL_HPP
#else
#define RASTERTIDE_LOF_NETWORKS_INL_HPP
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <hwy/highway.h>

#include "compute/cpu/lof_vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

inline constexpr std::int64_t kNetwork = 16;

#if HWY_TARGET != HWY_SCALAR
/// 4 x 4 within each block of 128 bits: block b of columns[j] is column 4 b + j of the four rows.
HWY_INLINE void transpose_blocks(const std::uint32_t* rows, std::int64_t stride, VU* columns) {
    const hn::RepartitionToWide<DU> wide;
    const VU row_0 = hn::Load(kU, rows);
    const VU row_1 = hn::Load(kU, rows + stride);
    const VU row_2 = hn::Load(kU, rows + 2 * stride);
    const VU row_3 = hn::Load(kU, rows + 3 * stride);
    const auto low_01 = hn::BitCast(wide, hn::InterleaveLower(kU, row_0, row_1));
    const auto high_01 = hn::BitCast(wide, hn::InterleaveUpper(kU, row_0, row_1));
    const auto low_23 = hn::BitCast(wide, hn::InterleaveLower(kU, row_2, row_3));
    const auto high_23 = hn::BitCast(wide, hn::InterleaveUpper(kU, row_2, row_3));
    columns[0] = hn::BitCast(kU, hn::InterleaveLower(wide, low_01, low_23));
    columns[1] = hn::BitCast(kU, hn::InterleaveUpper(wide, low_01, low_23));
    columns[2] = hn::BitCast(kU, hn::InterleaveLower(wide, high_01, high_23));
    columns[3] = hn::BitCast(kU, hn::InterleaveUpper(wide, high_01, high_23));
}
#endif

/// columns[c] lane r = rows[r * stride + c], for kLanes rows and columns.
HWY_INLINE void transpose(const std::uint32_t* rows, std::int64_t stride, VU* columns) {
#if HWY_TARGET == HWY_SCALAR
    (void)stride;
    columns[0] = hn::Load(kU, rows);
#elif HWY_CAP_GE512
    VU parts[16];
    for (int g = 0; g < 4; ++g) transpose_blocks(rows + 4 * g * stride, stride, parts + 4 * g);
    for (int j = 0; j < 4; ++j) {
        const __m512i low_01 = _mm512_shuffle_i32x4(parts[j].raw, parts[4 + j].raw, 0x44);
        const __m512i high_01 = _mm512_shuffle_i32x4(parts[j].raw, parts[4 + j].raw, 0xEE);
        const __m512i low_23 = _mm512_shuffle_i32x4(parts[8 + j].raw, parts[12 + j].raw, 0x44);
        const __m512i high_23 = _mm512_shuffle_i32x4(parts[8 + j].raw, parts[12 + j].raw, 0xEE);
        columns[j] = VU{_mm512_shuffle_i32x4(low_01, low_23, 0x88)};
        columns[4 + j] = VU{_mm512_shuffle_i32x4(low_01, low_23, 0xDD)};
        columns[8 + j] = VU{_mm512_shuffle_i32x4(high_01, high_23, 0x88)};
        columns[12 + j] = VU{_mm512_shuffle_i32x4(high_01, high_23, 0xDD)};
    }
#elif HWY_CAP_GE256
    VU parts[8];
    for (int g = 0; g < 2; ++g) transpose_blocks(rows + 4 * g * stride, stride, parts + 4 * g);
    for (int j = 0; j < 4; ++j) {
        columns[j] = hn::ConcatLowerLower(kU, parts[4 + j], parts[j]);
        columns[4 + j] = hn::ConcatUpperUpper(kU, parts[4 + j], parts[j]);
    }
#else
    transpose_blocks(rows, stride, columns);
#endif
}

/// Comparators of Green's network for 16 inputs (Knuth, TAOCP 3, 5.3.4), in order.
inline constexpr std::uint8_t kComparators[60][2] = {
    {0, 1},   {2, 3},  {4, 5},   {6, 7},   {8, 9},   {10, 11}, {12, 13}, {14, 15}, {0, 2},  {1, 3},
    {4, 6},   {5, 7},  {8, 10},  {9, 11},  {12, 14}, {13, 15}, {0, 4},   {1, 5},   {2, 6},  {3, 7},
    {8, 12},  {9, 13}, {10, 14}, {11, 15}, {0, 8},   {1, 9},   {2, 10},  {3, 11},  {4, 12}, {5, 13},
    {6, 14},  {7, 15}, {5, 10},  {6, 9},   {3, 12},  {13, 14}, {4, 8},   {7, 11},  {1, 2},  {1, 4},
    {7, 13},  {2, 8},  {11, 14}, {2, 4},   {5, 6},   {9, 10},  {11, 13}, {3, 8},   {7, 12}, {6, 8},
    {10, 12}, {3, 5},  {7, 9},   {3, 4},   {5, 6},   {7, 8},   {9, 10},  {11, 12}, {6, 7},  {8, 9}};

template <std::size_t kA, std::size_t kB>
HWY_INLINE void compare(VU (&v)[kNetwork]) {
    const VU low = hn::Min(v[kA], v[kB]);
    v[kB] = hn::Max(v[kA], v[kB]);
    v[kA] = low;
}

template <std::size_t... kI>
HWY_INLINE void compare_all(VU (&v)[kNetwork], std::index_sequence<kI...>) {
    (compare<kComparators[kI][0], kComparators[kI][1]>(v), ...);
}

/// sorted[i * kLanes + r] = i-th smallest of the 16 values of row r at rows[r * stride].
HWY_INLINE void sort_rows(const std::uint32_t* rows, std::int64_t stride, std::uint32_t* sorted) {
    VU v[kNetwork];
#pragma GCC unroll 16
    for (std::int64_t c = 0; c < kNetwork; c += kLanes) transpose(rows + c, stride, v + c);
    compare_all(v, std::make_index_sequence<60>());
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kNetwork; ++i) hn::Store(v[i], kU, sorted + i * kLanes);
}

template <std::size_t kStep, std::size_t... kI>
HWY_INLINE void compare_apart(VU (&v)[kNetwork], std::index_sequence<kI...>) {
    (compare<kI / kStep * 2 * kStep + kI % kStep, kI / kStep * 2 * kStep + kI % kStep + kStep>(v), ...);
}

HWY_INLINE void compare_in_memory(std::uint32_t* a, std::uint32_t* b) {
    const VU first = hn::Load(kU, a);
    const VU second = hn::Load(kU, b);
    hn::Store(hn::Min(first, second), kU, a);
    hn::Store(hn::Max(first, second), kU, b);
}

/// Sorts kN values of each lane that rise, then fall, or fall, then rise (Batcher 1968).
template <std::int64_t kN>
HWY_INLINE void sort_bitonic(std::uint32_t* values) {
    if constexpr (kN > kNetwork) {
        for (std::int64_t i = 0; i < kN / 2; ++i) {
            compare_in_memory(values + i * kLanes, values + (kN / 2 + i) * kLanes);
        }
        sort_bitonic<kN / 2>(values);
        sort_bitonic<kN / 2>(values + kN / 2 * kLanes);
    } else {
        VU v[kNetwork];
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < kNetwork; ++i) v[i] = hn::Load(kU, values + i * kLanes);
        compare_apart<8>(v, std::make_index_sequence<8>());
        compare_apart<4>(v, std::make_index_sequence<8>());
        compare_apart<2>(v, std::make_index_sequence<8>());
        compare_apart<1>(v, std::make_index_sequence<8>());
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < kNetwork; ++i) hn::Store(v[i], kU, values + i * kLanes);
    }
}

/// Makes one sorted sequence of each lane from kCount sorted sixteens, one after the other.
template <std::int64_t kCount>
HWY_INLINE void merge_sorted(std::uint32_t* values) {
    if constexpr (kCount > 1) {
        constexpr std::int64_t kHalf = kCount / 2 * kNetwork;
        merge_sorted<kCount / 2>(values);
        merge_sorted<kCount / 2>(values + kHalf * kLanes);
        for (std::int64_t i = 0; i < kHalf; ++i) {
            compare_in_memory(values + i * kLanes, values + (2 * kHalf - 1 - i) * kLanes);
        }
        sort_bitonic<kHalf>(values);
        sort_bitonic<kHalf>(values + kHalf * kLanes);
    }
}

/// The k-th smallest of two sorted sequences of n in each lane, 1 <= k <= 2 n: min over i of
/// max(a_i, b_(k - i)).
HWY_INLINE VU kth_of_two(const std::uint32_t* a, const std::uint32_t* b, std::int64_t n, std::int64_t k) {
    VU kth = hn::Set(kU, ~0u);
    for (std::int64_t i = std::max<std::int64_t>(0, k - n); i <= std::min(k, n); ++i) {
        VU larger = i > 0 ? hn::Load(kU, a + (i - 1) * kLanes) : hn::Zero(kU);
        if (i < k) larger = hn::Max(larger, hn::Load(kU, b + (k - i - 1) * kLanes));
        kth = hn::Min(kth, larger);
    }
    return kth;
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
