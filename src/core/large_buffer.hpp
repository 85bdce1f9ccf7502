// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <type_traits>

namespace rastertide {

/// Memory on huge pages where the system has them: planes of dates lie far apart, and with small pages every
/// step from one to the next would miss the translation cache. Not touched before it is used.
/// @throws std::bad_alloc
void* allocate_large(std::int64_t n_bytes);

struct FreeLarge {
    void operator()(void* memory) const { std::free(memory); }
};

/// An array of numbers that are not set, unlike a vector's.
template <class T>
using Buffer = std::unique_ptr<T[], FreeLarge>;

/// @throws std::bad_alloc
template <class T>
Buffer<T> make_buffer(std::int64_t n) {
    static_assert(std::is_trivially_destructible_v<T>);
    return Buffer<T>(static_cast<T*>(allocate_large(n * static_cast<std::int64_t>(sizeof(T)))));
}

}  // namespace rastertide
