// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "write/temporary_file.hpp"

namespace rastertide {

/// A text file that is written piece by piece and appears under its name when close() is called.
class TextWriter {
  public:
    /// @throws IoError naming the path and the system's reason, as do the others
    explicit TextWriter(const std::string& path);
    void write(const std::string& text);
    void close();

  private:
    struct FileCloser {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::string path_;
    TemporaryFile temporary_;
    std::unique_ptr<std::FILE, FileCloser> file_;
};

}  // namespace rastertide
