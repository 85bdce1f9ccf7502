// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace rastertide::on_device {
namespace {

/// Three digits that count.
std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3g", value);
    return text;
}

std::string date_of_today() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    char text[32];
    std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
    return text;
}

}  // namespace

Report::Report(const std::string& path, const Card& card) : file_(path) {
    if (!file_) throw std::runtime_error("'" + path + "' cannot be written");
    line("# Rastertide's CUDA kernels on a device\n");
    line("- date: " + date_of_today());
    line("- card: " + card.name + ", compute capability " + std::to_string(card.major) + "." +
         std::to_string(card.minor) + ", " + number(card.memory_bytes / 1e9) + " GB");
    line("- CUDA: driver " + card.driver + ", runtime " + card.runtime);
    line("- lane rate: " + std::to_string(card.n_multiprocessors) + " multiprocessors x " +
         std::to_string(card.lanes_of_multiprocessor()) + " lanes x " + number(card.clock_hz / 1e9) +
         " GHz = " + number(card.lanes_per_s() / 1e12) + "e12 Float32 instructions/s\n");
}

void Report::line(const std::string& text) {
    file_ << text << '\n' << std::flush;
    if (!file_) throw std::runtime_error("the report cannot be written");
}

void Report::begin_timings() {
    line("\n## Times\n");
    line(
        "Kernels: between events of the device, on buffers that stay there. Whole calls: wall clock of a "
        "call "
        "of the module, from and to memory of the host. Medians.");
    line(
        "Distances are T (T - 1) a location, formed twice each; their floor is 20 lane-instructions. A "
        "patch's "
        "floor is K p p multiply-adds, and twice as many operations for distances.");
    line(
        "The paper's jobs: LOF of 11,839,476 locations of 363 dates; one iteration of K-Means over "
        "4,297,729,788 patches.\n");
    line(
        "| job | size | seconds | runs | items/s | GB/s in + out | floor, s | times the floor | the paper's "
        "job, s |");
    line("|---|---|---|---|---|---|---|---|---|");
}

void Report::timing(const Timing& t) {
    const auto or_none = [](double value) { return value > 0 ? number(value) : std::string("-"); };
    const std::string row = "| " + t.job + " | " + t.size + " | " + number(t.seconds) + " | " +
                            std::to_string(t.n_runs) + " | " + number(t.n_items / t.seconds) + " | " +
                            number(t.n_bytes / t.seconds / 1e9) + " | " + or_none(t.floor_seconds) + " | " +
                            or_none(t.floor_seconds > 0 ? t.seconds / t.floor_seconds : 0) + " | " +
                            or_none(t.seconds * t.paper_factor) + " |";
    line(row);
    std::printf("%s\n", row.c_str());
    std::fflush(stdout);
}

void Report::left_out(const std::string& job, const std::string& size, const std::string& why) {
    line("| " + job + " | " + size + " | " + why + " | - | - | - | - | - | - |");
}

}  // namespace rastertide::on_device
