// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace rastertide::cpu {

enum class Phase { Pack, Distances, Bound, Compress, Rank, Finish };

inline constexpr std::size_t kPhases = 6;

/// Seconds spent in each phase, for the benchmark. A null pointer to it measures nothing.
struct PhaseTimes {
    std::array<double, kPhases> seconds{};
};

/// Adds the time since the last lap to a phase.
class PhaseClock {
  public:
    explicit PhaseClock(PhaseTimes* times) : times_(times) {
        if (times_ != nullptr) last_ = Clock::now();
    }

    void lap(Phase phase) {
        if (times_ == nullptr) return;
        const Clock::time_point now = Clock::now();
        times_->seconds[static_cast<std::size_t>(phase)] +=
            std::chrono::duration<double>(now - last_).count();
        last_ = now;
    }

  private:
    using Clock = std::chrono::steady_clock;

    PhaseTimes* times_;
    Clock::time_point last_;
};

}  // namespace rastertide::cpu
