// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rastertide/core/backend.hpp>

namespace rastertide {

/// How a computation is carried out; never what its result is.
struct ComputeOptions {
    Backend backend = Backend::Auto;
    int n_threads = 0;  ///< 0 = all cores this process may use
};

}  // namespace rastertide
