// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <sys/wait.h>

namespace rastertide::testing_support {

struct CommandResult {
    int exit_code = -1;
    std::string output;  ///< stdout and stderr together
};

/// Runs a shell command line and waits for it.
inline CommandResult run(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
    CommandResult result;
    std::array<char, 4096> buffer{};
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
        result.output.append(buffer.data(), n);
    const int status = pclose(pipe);
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

/// A word of a shell command line.
inline std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

/// What starts a command on n ranks, also as root. Open MPI leaks, which is not ours to find.
inline std::string mpirun(int n_ranks) {
    return "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
           "ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 "
           "timeout 120 mpirun --oversubscribe -n " +
           std::to_string(n_ranks) + " ";
}

/// In front of a command whose reads or writes are to fail. @param fault  FAILING_IO of cli/failing_io.cpp
inline std::string failing(const std::string& library, const std::string& fault) {
    return "env ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 FAILING_IO=" + quoted(fault) +
           " LD_PRELOAD=" + quoted(library) + " ";
}

/// A built utility, quoted; RASTERTIDE_BIN_DIR comes from the build.
inline std::string utility(const std::string& name) {
    return quoted(std::string(RASTERTIDE_BIN_DIR) + "/" + name);
}

}  // namespace rastertide::testing_support
