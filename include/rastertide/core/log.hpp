// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace rastertide {

enum class LogLevel { Debug, Info, Warning };

/// Libraries never print: they call this, if it is set. May be called from any thread.
using Logger = std::function<void(LogLevel, const std::string&)>;

/// Called with the fraction of the whole job that is done, 0..1, from the thread that runs the job.
using ProgressFn = std::function<void(double)>;

inline void log(const Logger& logger, LogLevel level, const std::string& message) {
    if (logger) logger(level, message);
}

}  // namespace rastertide
