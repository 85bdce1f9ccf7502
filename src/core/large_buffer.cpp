// SPDX-License-Identifier: Apache-2.0
#include "core/large_buffer.hpp"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace rastertide {

void* allocate_large(std::int64_t n_bytes) {
    constexpr std::size_t kHugePage = std::size_t{2} << 20;
    constexpr std::size_t kCacheLine = 64;
    const auto n = static_cast<std::size_t>(n_bytes);
    void* memory = nullptr;
    if (posix_memalign(&memory, n < kHugePage ? kCacheLine : kHugePage, n) != 0) throw std::bad_alloc();
#ifdef __linux__
    if (n >= kHugePage) (void)madvise(memory, n, MADV_HUGEPAGE);  // only advice: it may fail
#endif
    return memory;
}

}  // namespace rastertide
