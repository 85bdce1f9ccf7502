// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace rastertide {

/// Writes a text file under a temporary name beside `path` and renames it when whole, so that a reader sees
/// the old file or the new one. @throws IoError naming the path and the system's reason
void write_text_file(const std::string& path, const std::string& text);

/// The whole file. @throws IoError
std::string read_text_file(const std::string& path);

}  // namespace rastertide
