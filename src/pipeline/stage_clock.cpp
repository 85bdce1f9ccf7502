// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage_clock.hpp"

#include <sys/resource.h>

namespace rastertide {

StageClock::StageClock() {
    for (const char* name :
         {"open", "read", "lof", "statistics", "write_scores", "threshold", "read_scores", "anomalies",
          "write_masks", "sample", "start", "iterate", "label", "write_labels", "products"}) {
        costs_.push_back({name, 0, 0, 0});
    }
}

double StageClock::seconds_since_start() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::vector<StageCost> StageClock::reduce(Communicator& comm) const {
    std::vector<double> seconds;
    std::vector<double> peaks;
    std::vector<std::int64_t> bytes;
    for (const StageCost& cost : costs_) {
        seconds.push_back(cost.seconds);
        peaks.push_back(static_cast<double>(cost.peak_memory_bytes));
        bytes.push_back(cost.bytes);
    }
    comm.max(seconds);
    comm.max(peaks);
    comm.sum(bytes);
    std::vector<StageCost> result;
    for (std::size_t i = 0; i < costs_.size(); ++i) {
        if (seconds[i] == 0) continue;
        result.push_back({costs_[i].name, seconds[i], bytes[i], static_cast<std::int64_t>(peaks[i])});
    }
    return result;
}

std::int64_t peak_memory_bytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return std::int64_t{usage.ru_maxrss} * 1024;  // Linux counts kilobytes
}

}  // namespace rastertide
