// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <rastertide/core/error.hpp>
#include <rastertide/write/stack_writer.hpp>

namespace rastertide {

/// What every stack writer asks of its layout. @throws InvalidArgument
inline void check_layout(const std::string& path, const StackLayout& layout) {
    if (layout.dates.empty()) throw InvalidArgument("'" + path + "': a stack without dates");
    if (layout.grid.extent().empty()) {
        throw InvalidArgument("'" + path + "': a raster of " + std::to_string(layout.grid.n_cols) + " x " +
                              std::to_string(layout.grid.n_rows) + " pixels");
    }
}

/// @throws IoError  there is a file and it must stay
inline void check_absent(const std::string& path, bool overwrite) {
    if (overwrite || !std::filesystem::exists(path)) return;
    throw IoError("'" + path + "': the file exists; -overwrite replaces it");
}

/// @throws InvalidArgument
inline void check_window(const std::string& path, const Window& window, const Grid& grid) {
    if (!window.empty() && intersect(window, grid.extent()) == window) return;
    throw InvalidArgument("'" + path + "': window at column " + std::to_string(window.col) + ", row " +
                          std::to_string(window.row) + " of " + std::to_string(window.n_cols) + " x " +
                          std::to_string(window.n_rows) + " pixels is not inside the raster of " +
                          std::to_string(grid.n_cols) + " x " + std::to_string(grid.n_rows));
}

}  // namespace rastertide
