// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share. A target is one function, of libFuzzer's name: under the preset fuzz libFuzzer
// calls it with inputs that it makes up, elsewhere replay_main.cpp does with the corpus. Any exception that
// leaves it is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <rastertide/core/error.hpp>

#include "support/temp_dir.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace rastertide::fuzzing {

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process, as a sanitizer does: a property does not hold.
inline void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "property: %s\n", property);
    std::abort();
}

/// Whether step() was done; an Error is an answer, any other exception is not.
template <class Step>
bool is_accepted(Step step) {
    try {
        step();
        return true;
    } catch (const Error& error) {
        require(*error.what() != '\0', "an error has a message");
        return false;
    }
}

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines(1);
    for (const char c : text) {
        if (c == '\n') {
            lines.emplace_back();
        } else {
            lines.back() += c;
        }
    }
    return lines;
}

/// A file of the process that is written anew for each input.
class InputFile {
  public:
    explicit InputFile(const std::string& name) : name_(name) {}

    std::string folder() const { return dir_.path(); }
    std::string path() const { return dir_.file(name_); }
    const std::string& write(const std::string& text) {
        std::ofstream(path(), std::ios::binary) << text;
        path_ = path();
        return path_;
    }

  private:
    testing_support::TempDir dir_;
    std::string name_, path_;
};

}  // namespace rastertide::fuzzing
