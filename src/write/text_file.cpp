// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include <rastertide/core/error.hpp>
#include <rastertide/write/text_file.hpp>

#include "write/temporary_file.hpp"

namespace rastertide {
namespace {

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, FileCloser>;

[[noreturn]] void throw_system_error(const std::string& path, const char* what) {
    throw IoError("'" + path + "': " + what + ": " + std::generic_category().message(errno));
}

}  // namespace

void write_text_file(const std::string& path, const std::string& text) {
    TemporaryFile temporary(path);
    FileHandle file(std::fopen(temporary.path().c_str(), "wb"));
    if (file == nullptr) throw_system_error(path, "cannot make the file");
    // A full disk may show only when the buffer is flushed, and on some file systems only at the close.
    const bool written =
        std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() && std::fflush(file.get()) == 0;
    if (!written || std::fclose(file.release()) != 0) throw_system_error(path, "cannot write the file");
    temporary.commit();
}

std::string read_text_file(const std::string& path) {
    const FileHandle file(std::fopen(path.c_str(), "rb"));
    if (file == nullptr) throw_system_error(path, "cannot open the file");
    std::string text;
    char buffer[1 << 16];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;)
        text.append(buffer, n);
    if (std::ferror(file.get()) != 0) throw_system_error(path, "cannot read the file");
    return text;
}

}  // namespace rastertide
