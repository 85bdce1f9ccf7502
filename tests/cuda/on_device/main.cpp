// SPDX-License-Identifier: Apache-2.0
// Tests and times of the CUDA kernels on the device that is there; tests/cuda/on_device.sh builds and runs
// it.
//
//   on_device [--small] [--check | --bench] REPORT.md
//
// --small  sizes for the emulator   --check  only checks   --bench  only times
// Exit code: 0 all checks passed, 1 one failed or the arguments are wrong, 2 there is no usable device.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "bench.hpp"
#include "card.hpp"
#include "checks.hpp"
#include "compute/cuda/device.hpp"

namespace rastertide::on_device {
namespace {

constexpr int kDone = 0, kFailed = 1, kNoDevice = 2;

struct Arguments {
    bool small = false, checks = true, times = true;
    std::string report;
};

bool parse(const std::vector<std::string>& words, Arguments& arguments) {
    for (const std::string& word : words) {
        if (word == "--small") {
            arguments.small = true;
        } else if (word == "--check") {
            arguments.times = false;
        } else if (word == "--bench") {
            arguments.checks = false;
        } else if (word.starts_with("-") || !arguments.report.empty()) {
            return false;
        } else {
            arguments.report = word;
        }
    }
    return !arguments.report.empty() && (arguments.checks || arguments.times);
}

int run(const Arguments& arguments, const Card& card) {
    Report report(arguments.report, card);
    const bool passed = !arguments.checks || run_checks(arguments.small, report);
    if (arguments.times) {
        report.begin_timings();
        bench_lof(card, arguments.small, report);
        bench_kmeans(card, arguments.small, report);
    }
    return passed ? kDone : kFailed;
}

int run_program(const Arguments& arguments) {
    Card card;
    try {
        card = find_card();
    } catch (const cuda::CudaFailure& failure) {
        std::fprintf(stderr, "on_device: no usable CUDA device: %s\n", failure.text.c_str());
        return kNoDevice;
    }
    try {
        return run(arguments, card);
    } catch (const cuda::CudaFailure& failure) {
        std::fprintf(stderr, "on_device: %s\n", failure.text.c_str());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "on_device: %s\n", error.what());
    }
    return kFailed;
}

}  // namespace
}  // namespace rastertide::on_device

int main(int argc, char** argv) {
    rastertide::on_device::Arguments arguments;
    if (!parse({argv + 1, argv + argc}, arguments)) {
        std::fprintf(stderr, "usage: on_device [--small] [--check | --bench] REPORT.md\n");
        return 1;
    }
    return run_program(arguments);
}
