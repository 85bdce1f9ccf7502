// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>

namespace rastertide {

/// Threads that a request for n_threads gets: all cores this process may use for 0.
inline int resolve_threads(int n_threads) {
#ifdef _OPENMP
    return n_threads > 0 ? n_threads : omp_get_max_threads();
#else
    (void)n_threads;
    return 1;
#endif
}

/// Calls body(i) for 0 <= i < n on n_threads threads, in no fixed order. The first exception ends the loop
/// early and is rethrown here: none may leave an OpenMP region.
template <class Body>
void parallel_for(std::int64_t n, int n_threads, Body body) {
    std::exception_ptr error;
    std::mutex error_mutex;
    std::atomic<bool> failed = false;
    // More threads than work would only wait for each other; one needs no region.
    const int n_used = static_cast<int>(std::min<std::int64_t>(n, resolve_threads(n_threads)));
    if (n_used <= 1) {
        for (std::int64_t i = 0; i < n; ++i) body(i);
        return;
    }
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) num_threads(n_used)
#else
    (void)n_used;
#endif
    for (std::int64_t i = 0; i < n; ++i) {
        if (failed.load(std::memory_order_relaxed)) continue;
        try {
            body(i);
        } catch (...) {
            const std::scoped_lock lock(error_mutex);
            if (!error) error = std::current_exception();
            failed = true;
        }
    }
    if (error) std::rethrow_exception(error);
}

}  // namespace rastertide
