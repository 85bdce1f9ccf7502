// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace rastertide {

/// Four random words that belong to one counter.
struct RandomWords {
    std::uint32_t a, b, c, d;
};

/// Philox4x32-10 (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1,
/// 2,
/// 3. SC'11, doi:10.1145/2063384.2063405): a bijection of the counter chosen by the key. The words of a
/// counter depend on nothing else, so that any part of a stack can be drawn alone, in any order.
inline RandomWords philox(std::uint64_t key, RandomWords counter) {
    auto k0 = static_cast<std::uint32_t>(key);
    auto k1 = static_cast<std::uint32_t>(key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p = std::uint64_t{0xD2511F53} * counter.a;
        const std::uint64_t q = std::uint64_t{0xCD9E8D57} * counter.c;
        counter = {static_cast<std::uint32_t>(q >> 32) ^ counter.b ^ k0, static_cast<std::uint32_t>(q),
                   static_cast<std::uint32_t>(p >> 32) ^ counter.d ^ k1, static_cast<std::uint32_t>(p)};
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return counter;
}

/// In (0, 1), never an end: 23 bits and a half step are exact in a float.
inline float unit_float(std::uint32_t word) {
    return (static_cast<float>(static_cast<std::int32_t>(word >> 9)) + 0.5F) * 0x1p-23F;
}

/// In (0, 1), never an end.
inline double unit_double(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

/// What a counter is drawn for; the last word of the counter carries it, so that no two uses share words.
enum class RandomStream : std::uint32_t {
    Speckle = 0,
    Texture,
    SceneGain,
    Ship,
    Storm,
    Change,
    Swath,
    KMeansPlusPlus,
    MiniBatch,
    KMeansSample,
    KMeansDraw,
    KMeansShare,
};

/// The last word of a counter: up to 2^24 draws a stream and position.
inline std::uint32_t stream_word(RandomStream stream, std::uint32_t draw = 0) {
    return (static_cast<std::uint32_t>(stream) << 24) | draw;
}

/// A key for random_of() that shares nothing with those of other streams, draws or seeds.
inline std::uint64_t random_key(std::uint64_t seed, RandomStream stream, std::uint32_t draw = 0) {
    const RandomWords words = philox(seed, {0, 0, 0, stream_word(stream, draw)});
    return (std::uint64_t{words.a} << 32) | words.b;
}

/// In (0, 1), of a position in the stack: cheap enough for one a patch. SplitMix64's output function (G. L.
/// Steele, D. Lea, C. H. Flood: Fast splittable pseudorandom number generators. OOPSLA 2014).
inline double random_of(std::uint64_t key, std::int64_t index) {
    std::uint64_t word = key + static_cast<std::uint64_t>(index) * 0x9E3779B97F4A7C15;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
    word ^= word >> 31;
    return (static_cast<double>(word >> 11) + 0.5) * 0x1p-53;
}

}  // namespace rastertide
