// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "card.hpp"

namespace rastertide::on_device {

/// One line of the table of times.
struct Timing {
    std::string job, size;
    double seconds = 0;  ///< median
    int n_runs = 0;
    double n_items = 0;        ///< distances, or patches
    double n_bytes = 0;        ///< that come in and go out
    double floor_seconds = 0;  ///< by the card's rate of Float32 instructions; 0: none is stated
    double paper_factor = 0;   ///< how many of this make the paper's job; 0: it is no part of it
};

/// The report, a Markdown file. Each line is on disk before the next is made: a card that hangs leaves what
/// was found before.
class Report {
  public:
    /// @throws std::runtime_error  the file cannot be written
    Report(const std::string& path, const Card& card);

    void line(const std::string& text);
    void begin_timings();
    void timing(const Timing& timing);
    /// A job that was left out. @param why  "needs 12.3 GB of the device's memory"
    void left_out(const std::string& job, const std::string& size, const std::string& why);

  private:
    std::ofstream file_;
};

}  // namespace rastertide::on_device
