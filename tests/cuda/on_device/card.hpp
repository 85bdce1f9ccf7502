// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace rastertide::on_device {

/// The device that the program runs on, and what it can do on paper.
struct Card {
    std::string name;
    int major = 0, minor = 0;
    int n_multiprocessors = 0;
    double clock_hz = 0;  ///< the highest
    double memory_bytes = 0;
    std::string driver, runtime;  ///< versions of CUDA: "13.0"

    /// Float32 operations that one multiprocessor starts in a clock cycle.
    int lanes_of_multiprocessor() const;
    double lanes_per_s() const { return n_multiprocessors * clock_hz * lanes_of_multiprocessor(); }
};

/// Device 0: the first CUDA calls of the program.
/// @throws cuda::CudaFailure  no driver, no device, or one for which the program has no code
Card find_card();

}  // namespace rastertide::on_device
