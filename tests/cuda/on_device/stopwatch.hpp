// SPDX-License-Identifier: Apache-2.0
// Medians of repeated runs.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "compute/cuda/device_memory.hpp"

namespace rastertide::on_device {

/// How often a job is run: after the first one, which is not counted, n_most times, or as often as fit
/// into kMostSeconds.
inline constexpr double kMostSeconds = 3;

struct Median {
    double seconds = 0;
    int n_runs = 0;
};

/// @param run  returns its own seconds
template <class Run>
Median median_of_runs(int n_most, Run run) {
    double total = run();  // loads code, grows buffers
    std::vector<double> seconds;
    while (seconds.empty() || (static_cast<int>(seconds.size()) < n_most && total < kMostSeconds)) {
        seconds.push_back(run());
        total += seconds.back();
    }
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    return {*middle, static_cast<int>(seconds.size())};
}

class Event {
  public:
    Event() { cuda::check(cudaEventCreate(&event_), "cudaEventCreate"); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { cudaEventDestroy(event_); }

    void record(const cuda::Stream& stream) {
        cuda::check(cudaEventRecord(event_, stream.get()), "cudaEventRecord");
    }
    double seconds_since(const Event& begin) const {
        float milliseconds = 0;
        cuda::check(cudaEventSynchronize(event_), "cudaEventSynchronize");
        cuda::check(cudaEventElapsedTime(&milliseconds, begin.event_, event_), "cudaEventElapsedTime");
        return static_cast<double>(milliseconds) / 1e3;
    }

  private:
    cudaEvent_t event_ = nullptr;
};

/// Of work on the device. @param start  starts it on the stream
/// @param prepare  the same, for what is not timed
template <class Prepare, class Start>
Median time_kernels(int n_most, const cuda::Stream& stream, Prepare prepare, Start start) {
    Event begin, end;
    return median_of_runs(n_most, [&] {
        prepare();
        begin.record(stream);
        start();
        end.record(stream);
        return end.seconds_since(begin);
    });
}

/// Of a call that returns when its work is done.
template <class Call>
Median time_call(int n_most, Call call) {
    return median_of_runs(n_most, [&] {
        const auto begin = std::chrono::steady_clock::now();
        call();
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    });
}

}  // namespace rastertide::on_device
