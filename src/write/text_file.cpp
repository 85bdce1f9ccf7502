// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <rastertide/core/error.hpp>
#include <rastertide/write/text_file.hpp>

#include "write/temporary_file.hpp"

namespace rastertide {

void write_text_file(const std::string& path, const std::string& text) {
    TemporaryFile file(path);
    errno = 0;
    std::ofstream out(file.path(), std::ios::binary);
    out << text;
    out.close();
    if (!out) throw IoError("'" + path + "': cannot write: " + std::strerror(errno != 0 ? errno : EIO));
    file.commit();
}

std::string read_text_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw IoError("'" + path + "': cannot read: " + std::strerror(errno));
    return text.str();
}

}  // namespace rastertide
