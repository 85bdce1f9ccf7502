// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>

#include <rastertide/core/error.hpp>
#include <rastertide/core/log.hpp>

namespace rastertide {

/// Where computations go when a device fails: to the Cpu backend, that one and all later ones. One object is
/// shared by the computations of a run; from any thread.
class CpuFallback {
  public:
    /// @param logger  is warned once
    explicit CpuFallback(Logger logger);

    /// Whether the device has failed.
    bool is_taken() const;
    /// Called by whoever meets the failure. Only the first call counts.
    void take(const DeviceError& error);
    /// What failed; empty before.
    std::string reason() const;

  private:
    Logger logger_;
    mutable std::mutex mutex_;
    std::string reason_;
};

}  // namespace rastertide
