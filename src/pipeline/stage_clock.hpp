// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include <rastertide/pipeline/summary.hpp>
#include <rastertide/reduce/communicator.hpp>

namespace rastertide {

/// The stages of all kinds of runs, in their order; each is timed by one thread at a time.
enum class Stage {
    Open,
    Read,
    Lof,
    Statistics,
    WriteScores,
    Threshold,
    ReadScores,
    Anomalies,
    WriteMasks,
    Sample,
    Start,
    Iterate,
    Label,
    WriteLabels,
    Products
};

/// The most memory this process has held so far.
std::int64_t peak_memory_bytes();

/// Seconds, bytes and peak memory of each stage on this rank.
class StageClock {
  public:
    /// Adds the time of its own life to a stage.
    class Timer {
      public:
        Timer(StageClock& clock, Stage stage, std::int64_t bytes = 0)
            : cost_(clock.costs_[static_cast<std::size_t>(stage)]), start_(std::chrono::steady_clock::now()) {
            cost_.bytes += bytes;
        }
        Timer(const Timer&) = delete;
        Timer& operator=(const Timer&) = delete;
        ~Timer() {
            cost_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
            cost_.peak_memory_bytes = rastertide::peak_memory_bytes();
        }

      private:
        StageCost& cost_;
        std::chrono::steady_clock::time_point start_;
    };

    StageClock();

    double seconds_since_start() const;

    /// Over all ranks: the slowest rank's seconds, all ranks' bytes, the largest rank's peak;
    /// of the stages that any rank has spent time in. Collective.
    std::vector<StageCost> reduce(Communicator& comm) const;

  private:
    std::vector<StageCost> costs_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace rastertide
