// SPDX-License-Identifier: Apache-2.0
// What ptxas -v says of each kernel, as src/cmake/keep_ptxas_log.sh leaves it beside an object.
#pragma once

#include <cstdlib>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <cxxabi.h>

namespace rastertide::testing_support {

/// Of one kernel, for one architecture. Functions that are not inlined count as part of it.
struct KernelResources {
    std::string name;      ///< "label_kernel<7>"
    int architecture = 0;  ///< 90: sm_90
    int registers = 0;     ///< of a thread
    int shared_bytes = 0;  ///< of a block
    int stack_bytes = 0;   ///< of a thread, in local memory
    int spill_bytes = 0;
};

/// "least_of_groups<7>" of "void rastertide::cuda::(anonymous namespace)::least_of_groups<7>(...)".
inline std::string kernel_name(const std::string& mangled) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled(
        abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
    if (status != 0) throw std::runtime_error("no name of a C++ function: " + mangled);
    const std::string text =
        std::regex_replace(std::string(demangled.get()), std::regex(R"(\(anonymous namespace\)::)"), "");
    const std::string head = text.substr(0, text.find('('));
    return head.substr(head.find_last_of(": ") + 1);
}

/// @throws std::runtime_error  a kernel without all its figures: ptxas has changed its words
inline std::vector<KernelResources> read_ptxas_log(const std::string& text) {
    const std::regex entry(R"(Compiling entry function '(\S+)' for 'sm_(\d+)a?f?')");
    const std::regex frame(R"((\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads)");
    const std::regex used(R"(Used (\d+) registers)");
    const std::regex shared(R"((\d+) bytes smem)");
    std::vector<KernelResources> kernels;
    bool has_frame = true, has_registers = true;
    const auto check_last = [&] {
        if (!has_frame || !has_registers)
            throw std::runtime_error("the log lacks figures of " + kernels.back().name);
    };
    std::istringstream lines(text);
    std::smatch found;
    for (std::string line; std::getline(lines, line);) {
        if (std::regex_search(line, found, entry)) {
            check_last();
            kernels.emplace_back();
            kernels.back().name = kernel_name(found[1]);
            kernels.back().architecture = std::stoi(found[2]);
            has_frame = has_registers = false;
        }
        if (std::regex_search(line, found, frame)) {
            if (kernels.empty()) throw std::runtime_error("figures of no kernel: " + line);
            kernels.back().stack_bytes += std::stoi(found[1]);
            kernels.back().spill_bytes += std::stoi(found[2]) + std::stoi(found[3]);
            has_frame = true;
        }
        if (std::regex_search(line, found, used)) {
            if (kernels.empty()) throw std::runtime_error("figures of no kernel: " + line);
            kernels.back().registers = std::stoi(found[1]);
            has_registers = true;
            if (std::regex_search(line, found, shared)) kernels.back().shared_bytes = std::stoi(found[1]);
        }
    }
    check_last();
    return kernels;
}

}  // namespace rastertide::testing_support
