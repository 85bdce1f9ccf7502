// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <csignal>
#include <string>

#include <rastertide/core/stop.hpp>

namespace rastertide {
namespace {

std::atomic<int> requested = 0;
static_assert(std::atomic<int>::is_always_lock_free, "used in signal handlers");

std::string name_of(int signal) {
    if (signal == SIGINT) return "SIGINT";
    if (signal == SIGTERM) return "SIGTERM";
    return "signal " + std::to_string(signal);
}

}  // namespace

Stopped::Stopped(int signal) : Error("stopped by " + name_of(signal)), signal_(signal) {}

void request_stop(int signal) noexcept { requested = signal; }

void throw_if_stopped() {
    if (const int signal = requested; signal != 0) throw Stopped(signal);
}

}  // namespace rastertide
