// SPDX-License-Identifier: Apache-2.0
#include "read/open_files.hpp"

#include <algorithm>

#include <sys/resource.h>

namespace rastertide {

std::size_t max_open_sources() {
    constexpr std::size_t kMost = 500;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kMost;
    return std::min<std::size_t>(kMost, limit.rlim_cur / 2);
}

}  // namespace rastertide
