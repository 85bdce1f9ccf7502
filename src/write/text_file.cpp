// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <rastertide/core/error.hpp>
#include <rastertide/write/text_file.hpp>

#include "write/text_writer.hpp"

namespace rastertide {
namespace {

[[noreturn]] void throw_system_error(const std::string& path, const char* what) {
    throw IoError("'" + path + "': " + what + ": " + std::generic_category().message(errno));
}

}  // namespace

TextWriter::TextWriter(const std::string& path)
    : path_(path), temporary_(path), file_(std::fopen(temporary_.path().c_str(), "wb")) {
    if (file_ == nullptr) throw_system_error(path_, "cannot make the file");
}

void TextWriter::write(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) {
        throw_system_error(path_, "cannot write the file");
    }
}

void TextWriter::close() {
    // A full disk may show only when the buffer is flushed, and on some file systems only at the close.
    const bool flushed = std::fflush(file_.get()) == 0;
    if (std::fclose(file_.release()) != 0 || !flushed) throw_system_error(path_, "cannot write the file");
    temporary_.commit();
}

void write_text_file(const std::string& path, const std::string& text) {
    TextWriter file(path);
    file.write(text);
    file.close();
}

std::string read_text_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad()) throw_system_error(path, "cannot read the file");
    return text;
}

}  // namespace rastertide
