// SPDX-License-Identifier: Apache-2.0
#include "read/hdf5_name.hpp"

#include <filesystem>

#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

/// `"f.h5"://data`, `f.h5://data` or `"f.nc":data`, without the driver's prefix.
Hdf5Name split_connection(const std::string& text) {
    const bool quoted = text.starts_with('"');
    const std::size_t end = quoted ? text.find('"', 1) : text.rfind(':');
    Hdf5Name name{text.substr(quoted ? 1 : 0, end - (quoted ? 1 : 0)), ""};
    if (end == std::string::npos) return name;
    const std::size_t at = text.find_first_not_of(":", quoted ? end + 1 : end);
    if (at != std::string::npos) name.dataset = text.substr(at);
    return name;
}

bool is_remote(const std::string& file) {
    return file.starts_with("/vsi") || file.find("://") != std::string::npos;
}

}  // namespace

Hdf5Name parse_hdf5_name(const std::string& name) {
    for (const std::string prefix : {"HDF5:", "NETCDF:"}) {
        if (name.starts_with(prefix)) return split_connection(name.substr(prefix.size()));
    }
    return {name, ""};
}

void require_file_of_connection(const std::string& name) {
    const std::string file = parse_hdf5_name(name).file;
    std::error_code no_access;
    if (file == name || is_remote(file) || std::filesystem::exists(file, no_access)) return;
    throw IoError("'" + file + "': no such file");
}

}  // namespace rastertide
