// SPDX-License-Identifier: Apache-2.0
// What kernels see of the emulated CUDA: vector types, indices, shared memory, barriers, warp operations,
// atomics.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>  // libstdc++ spells an attribute __noinline__ in some headers: before the macro below
#include <shared_mutex>
#include <source_location>
#include <type_traits>

/// Sources may ask whether it is the emulator that compiles them; few should.
#define RASTERTIDE_CUDA_EMULATION 1

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)

/// An object of the block, the same for all its threads: `name` is a reference to it. Its bytes are 0xFF at
/// first.
#define RASTERTIDE_SHARED(type, name)                                                             \
    static char rastertide_site_of_##name;                                                        \
    ::rastertide_emulation::Same<type>& name = *static_cast<::rastertide_emulation::Same<type>*>( \
        ::rastertide_emulation::shared_object(&rastertide_site_of_##name, sizeof(type), alignof(type)))

#define RASTERTIDE_VECTORS(scalar, name, align2, align4)                                 \
    struct alignas(align2) name##2 {                                                     \
        scalar x, y;                                                                     \
    };                                                                                   \
    struct name##3 {                                                                     \
        scalar x, y, z;                                                                  \
    };                                                                                   \
    struct alignas(align4) name##4 {                                                     \
        scalar x, y, z, w;                                                               \
    };                                                                                   \
    constexpr name##2 make_##name##2(scalar x, scalar y) { return {x, y}; }              \
    constexpr name##3 make_##name##3(scalar x, scalar y, scalar z) { return {x, y, z}; } \
    constexpr name##4 make_##name##4(scalar x, scalar y, scalar z, scalar w) { return {x, y, z, w}; }
RASTERTIDE_VECTORS(unsigned char, uchar, 2, 4)
RASTERTIDE_VECTORS(short, short, 4, 8)
RASTERTIDE_VECTORS(unsigned short, ushort, 4, 8)
RASTERTIDE_VECTORS(int, int, 8, 16)
RASTERTIDE_VECTORS(unsigned, uint, 8, 16)
RASTERTIDE_VECTORS(float, float, 8, 16)
RASTERTIDE_VECTORS(double, double, 16, 16)
RASTERTIDE_VECTORS(long long, longlong, 16, 16)
RASTERTIDE_VECTORS(unsigned long long, ulonglong, 16, 16)
#undef RASTERTIDE_VECTORS

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

namespace rastertide_emulation {

using Place = std::source_location;
template <typename T>
using Same = T;

enum class Barrier { Plain, Count, And, Or };
enum class WarpOp { Sync, Ballot, Any, All, Shuffle };

int barrier(Barrier kind, int predicate, const Place& place);
/// Waits for all lanes of `mask`; a shuffle yields the value of lane `source`, 0xFF bytes if it takes no
/// part.
std::uint64_t warp_operation(WarpOp op, unsigned mask, std::uint64_t value, int source, const Place& place);
void* shared_object(const void* site, std::size_t bytes, std::size_t alignment);
void fence();

inline int lane() {
    return static_cast<int>((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32);
}

template <typename To, typename From>
To bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

template <typename T>
T shuffle(unsigned mask, T value, int source, const Place& place) {
    static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "no shuffle of this type");
    std::uint64_t slot = 0;
    std::memcpy(&slot, &value, sizeof value);
    slot = warp_operation(WarpOp::Shuffle, mask, slot, source, place);
    std::memcpy(&value, &slot, sizeof value);
    return value;
}

template <typename T, typename Change>
T change_atomically(T* address, Change change) {
    T old = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (
        !__atomic_compare_exchange_n(address, &old, change(old), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}

}  // namespace rastertide_emulation

#define RASTERTIDE_HERE const ::rastertide_emulation::Place& place = ::rastertide_emulation::Place::current()

inline void __syncthreads(RASTERTIDE_HERE) {
    rastertide_emulation::barrier(rastertide_emulation::Barrier::Plain, 0, place);
}
inline int __syncthreads_count(int predicate, RASTERTIDE_HERE) {
    return rastertide_emulation::barrier(rastertide_emulation::Barrier::Count, predicate, place);
}
inline int __syncthreads_and(int predicate, RASTERTIDE_HERE) {
    return rastertide_emulation::barrier(rastertide_emulation::Barrier::And, predicate, place);
}
inline int __syncthreads_or(int predicate, RASTERTIDE_HERE) {
    return rastertide_emulation::barrier(rastertide_emulation::Barrier::Or, predicate, place);
}

inline void __syncwarp(unsigned mask = 0xffffffffu, RASTERTIDE_HERE) {
    rastertide_emulation::warp_operation(rastertide_emulation::WarpOp::Sync, mask, 0, 0, place);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, RASTERTIDE_HERE) {
    using namespace rastertide_emulation;
    return static_cast<unsigned>(warp_operation(WarpOp::Ballot, mask, predicate != 0, 0, place));
}
inline int __any_sync(unsigned mask, int predicate, RASTERTIDE_HERE) {
    using namespace rastertide_emulation;
    return static_cast<int>(warp_operation(WarpOp::Any, mask, predicate != 0, 0, place));
}
inline int __all_sync(unsigned mask, int predicate, RASTERTIDE_HERE) {
    using namespace rastertide_emulation;
    return static_cast<int>(warp_operation(WarpOp::All, mask, predicate != 0, 0, place));
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, RASTERTIDE_HERE) {
    const int first = rastertide_emulation::lane() & ~(width - 1);
    return rastertide_emulation::shuffle(mask, value, first | (source & (width - 1)), place);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, RASTERTIDE_HERE) {
    const int lane = rastertide_emulation::lane(), source = lane - static_cast<int>(delta);
    return rastertide_emulation::shuffle(mask, value, source < (lane & ~(width - 1)) ? lane : source, place);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, RASTERTIDE_HERE) {
    const int lane = rastertide_emulation::lane(), source = lane + static_cast<int>(delta);
    return rastertide_emulation::shuffle(mask, value, source > (lane | (width - 1)) ? lane : source, place);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int flip, int width = 32, RASTERTIDE_HERE) {
    const int lane = rastertide_emulation::lane(), source = lane ^ flip;
    return rastertide_emulation::shuffle(mask, value, source > (lane | (width - 1)) ? lane : source, place);
}
#undef RASTERTIDE_HERE

inline void __threadfence() { rastertide_emulation::fence(); }
inline void __threadfence_block() { rastertide_emulation::fence(); }

#define RASTERTIDE_ATOMICS(T)                                                                                \
    inline T atomicAdd(T* address, T value) { return __atomic_fetch_add(address, value, __ATOMIC_RELAXED); } \
    inline T atomicOr(T* address, T value) { return __atomic_fetch_or(address, value, __ATOMIC_RELAXED); }   \
    inline T atomicAnd(T* address, T value) { return __atomic_fetch_and(address, value, __ATOMIC_RELAXED); } \
    inline T atomicExch(T* address, T value) {                                                               \
        return __atomic_exchange_n(address, value, __ATOMIC_RELAXED);                                        \
    }                                                                                                        \
    inline T atomicCAS(T* address, T expected, T value) {                                                    \
        __atomic_compare_exchange_n(address, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);   \
        return expected;                                                                                     \
    }                                                                                                        \
    inline T atomicMax(T* address, T value) {                                                                \
        return rastertide_emulation::change_atomically(address,                                              \
                                                       [=](T old) { return old < value ? value : old; });    \
    }                                                                                                        \
    inline T atomicMin(T* address, T value) {                                                                \
        return rastertide_emulation::change_atomically(address,                                              \
                                                       [=](T old) { return value < old ? value : old; });    \
    }
RASTERTIDE_ATOMICS(int)
RASTERTIDE_ATOMICS(unsigned)
RASTERTIDE_ATOMICS(unsigned long long)
#undef RASTERTIDE_ATOMICS
// Sums of floating point in the order of arrival differ from run to run.
float atomicAdd(float*, float) = delete;
double atomicAdd(double*, double) = delete;

inline unsigned __float_as_uint(float v) { return rastertide_emulation::bits<unsigned>(v); }
inline int __float_as_int(float v) { return rastertide_emulation::bits<int>(v); }
inline float __uint_as_float(unsigned v) { return rastertide_emulation::bits<float>(v); }
inline float __int_as_float(int v) { return rastertide_emulation::bits<float>(v); }
inline long long __double_as_longlong(double v) { return rastertide_emulation::bits<long long>(v); }
inline double __longlong_as_double(long long v) { return rastertide_emulation::bits<double>(v); }

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline double __dsqrt_rn(double a) { return __builtin_sqrt(a); }
inline double __ll2double_rn(long long a) { return static_cast<double>(a); }
inline long long __double2ll_rn(double a) {  // the device saturates, and turns a NaN into the lowest number
    return a >= 0x1p63 ? INT64_MAX : a >= -0x1p63 ? __builtin_llrint(a) : INT64_MIN;
}

inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __ffsll(long long v) { return __builtin_ffsll(v); }
inline int __clz(int v) { return v == 0 ? 32 : __builtin_clz(static_cast<unsigned>(v)); }
inline int __clzll(long long v) { return v == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(v)); }
template <typename T>
T __ldg(const T* address) {
    return *address;
}

#define RASTERTIDE_MIN_MAX(T)                           \
    constexpr T min(T a, T b) { return b < a ? b : a; } \
    constexpr T max(T a, T b) { return a < b ? b : a; }
RASTERTIDE_MIN_MAX(int)
RASTERTIDE_MIN_MAX(unsigned)
RASTERTIDE_MIN_MAX(long)
RASTERTIDE_MIN_MAX(unsigned long)
RASTERTIDE_MIN_MAX(long long)
RASTERTIDE_MIN_MAX(unsigned long long)
#undef RASTERTIDE_MIN_MAX
#define RASTERTIDE_MIN_MAX(A, B)                                    \
    constexpr B min(A a, B b) { return min(static_cast<B>(a), b); } \
    constexpr B min(B a, A b) { return min(a, static_cast<B>(b)); } \
    constexpr B max(A a, B b) { return max(static_cast<B>(a), b); } \
    constexpr B max(B a, A b) { return max(a, static_cast<B>(b)); }
RASTERTIDE_MIN_MAX(int, unsigned)
RASTERTIDE_MIN_MAX(long, unsigned long)
RASTERTIDE_MIN_MAX(long long, unsigned long long)
#undef RASTERTIDE_MIN_MAX
inline float min(float a, float b) { return fminf(a, b); }  // of a number and a NaN, the number
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
