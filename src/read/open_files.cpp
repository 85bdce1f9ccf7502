// SPDX-License-Identifier: Apache-2.0
#include "read/open_files.hpp"

#include <algorithm>

#include <sys/resource.h>

namespace rastertide {

std::size_t max_open_sources() {
    constexpr std::size_t kMost = 500;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kMost;
    // Standard streams, the lock of the output folder, what MPI and PROJ hold, a shard and its statistics.
    constexpr std::size_t kOthers = 16;
    const std::size_t sources = limit.rlim_cur > kOthers ? (limit.rlim_cur - kOthers) / 2 : 1;
    return std::min(kMost, sources);
}

}  // namespace rastertide
