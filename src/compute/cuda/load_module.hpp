// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "compute/cuda/module.hpp"

namespace rastertide::cuda {

/// What became of the search for librastertide_cuda.so; see cuda_devices() in backend.hpp.
struct LoadedModule {
    const Module* module = nullptr;    ///< null if it cannot be used
    bool is_there = false;             ///< a file was found, good or bad
    std::string why_not;               ///< one line; empty if there is a device
    std::vector<DeviceFacts> devices;  ///< empty without a module
};

/// Searches at the first call, and keeps the module for good. Thread-safe.
const LoadedModule& loaded_module();

}  // namespace rastertide::cuda
