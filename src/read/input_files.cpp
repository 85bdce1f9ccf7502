// SPDX-License-Identifier: Apache-2.0
#include <cpl_vsi.h>

#include <rastertide/read/input_files.hpp>

namespace rastertide {

std::vector<InputFile> input_files(const std::vector<std::string>& names) {
    std::vector<InputFile> files;
    for (const std::string& name : names) {
        InputFile& file = files.emplace_back(InputFile{name, 0, 0});
        VSIStatBufL state;
        if (VSIStatL(name.c_str(), &state) != 0) continue;
        file.bytes = static_cast<std::int64_t>(state.st_size);
        file.modified = static_cast<std::int64_t>(state.st_mtime);
    }
    return files;
}

}  // namespace rastertide
