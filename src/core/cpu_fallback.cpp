// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <rastertide/core/cpu_fallback.hpp>

namespace rastertide {

CpuFallback::CpuFallback(Logger logger) : logger_(std::move(logger)) {}

bool CpuFallback::is_taken() const { return !reason().empty(); }

void CpuFallback::take(const DeviceError& error) {
    {
        const std::scoped_lock lock(mutex_);
        if (!reason_.empty()) return;
        reason_ = error.what();
    }
    log(logger_, LogLevel::Warning, std::string(error.what()) + "; the CPU goes on in its place");
}

std::string CpuFallback::reason() const {
    const std::scoped_lock lock(mutex_);
    return reason_;
}

}  // namespace rastertide
