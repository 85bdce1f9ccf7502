// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <rastertide/core/backend.hpp>
#include <rastertide/core/cpu_fallback.hpp>

namespace rastertide {

/// How a computation is carried out; never what its result is.
struct ComputeOptions {
    Backend backend = Backend::Auto;
    int n_threads = 0;  ///< 0 = all cores this process may use
    /// Of the Cuda backend: which device, modulo their number, so that any rank of a node may give its own.
    int device = 0;
    /// Of the Cuda backend: what goes on on the CPU when the device fails, and all that shares it from then
    /// on. Null: a DeviceError is thrown.
    std::shared_ptr<CpuFallback> fallback = nullptr;
};

}  // namespace rastertide
