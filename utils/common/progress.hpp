// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

namespace rastertide::utils {

/// GDAL's 0...10...20 on stdout; on a terminal with the time left.
class ProgressBar {
  public:
    explicit ProgressBar(bool on_terminal) : on_terminal_(on_terminal) {}

    void show(double fraction) {
        const int tick = static_cast<int>(fraction * kTicks + 1e-9);
        if (tick <= tick_ && !(on_terminal_ && fraction < 1)) return;
        std::string text;
        for (int i = on_terminal_ ? 0 : tick_ + 1; i <= tick; ++i) {
            text += i % 4 == 0 ? std::to_string(i / 4 * 10) : ".";
        }
        tick_ = tick;
        std::printf("%s%s%s", on_terminal_ ? "\r" : "", text.c_str(),
                    on_terminal_ ? time_left(fraction).c_str() : "");
        if (fraction >= 1) std::printf(" - done.%s\n", on_terminal_ ? "            " : "");
        std::fflush(stdout);
    }

  private:
    static constexpr int kTicks = 40;

    std::string time_left(double fraction) const {
        if (fraction < 0.01 || fraction >= 1) return "";
        const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
        const long seconds = static_cast<long>(elapsed * (1 - fraction) / fraction);
        char text[48];
        std::snprintf(text, sizeof text, " (%ld:%02ld left)  ", seconds / 60, seconds % 60);
        return text;
    }

    using Clock = std::chrono::steady_clock;
    bool on_terminal_;
    int tick_ = -1;
    Clock::time_point start_ = Clock::now();
};

}  // namespace rastertide::utils
