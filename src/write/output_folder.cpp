// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include <rastertide/core/error.hpp>
#include <rastertide/write/output_folder.hpp>
#include <rastertide/write/text_file.hpp>

namespace rastertide {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunFile = "run.json";

/// What runs write at the top of their folder, by stem: -overwrite removes nothing else.
bool is_product_of_a_run(const fs::path& entry) {
    constexpr std::array kStems = {"run",     "summary",       "per_date", "lof",
                                   "anomaly", "anomaly_count", "lof_max",  "lof_max_date"};
    const std::string name = entry.filename().string();
    const std::string stem = name.substr(0, name.find('.'));
    return name == "tiles" || std::find(kStems.begin(), kStems.end(), stem) != kStems.end();
}

void remove_run(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (is_product_of_a_run(entry.path())) fs::remove_all(entry.path());
    }
}

void prepare(const fs::path& folder, bool overwrite) {
    if (fs::exists(folder) && !fs::is_directory(folder)) {
        throw InvalidArgument("'" + folder.string() + "': the output must be a folder, this is a file");
    }
    fs::create_directories(folder);
    if (fs::is_empty(folder)) return;
    if (!fs::exists(folder / kRunFile)) {
        throw InvalidArgument("'" + folder.string() +
                              "': the output folder is not empty and holds no earlier run; name an " +
                              "empty or a new folder");
    }
    if (!overwrite) {
        throw InvalidArgument("'" + folder.string() +
                              "': the output folder holds a run; -overwrite replaces it");
    }
    remove_run(folder);
}

}  // namespace

OutputFolder OutputFolder::make(const std::string& path, bool overwrite) {
    try {
        prepare(path, overwrite);
        OutputFolder folder(path);
        fs::create_directories(fs::path(path) / "tiles");
        return folder;
    } catch (const fs::filesystem_error& error) {
        throw IoError("'" + path + "': cannot prepare the output folder: " + error.code().message());
    }
}

std::string OutputFolder::shard_name(const std::string& product, std::int64_t tile_row,
                                     std::int64_t tile_col) {
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "t_%04lld_%04lld.tif", static_cast<long long>(tile_row),
                  static_cast<long long>(tile_col));
    return "tiles/" + product + "/" + name.data();
}

void OutputFolder::make_product(const std::string& product) const {
    std::error_code error;
    fs::create_directories(fs::path(path_) / "tiles" / product, error);
    if (error)
        throw IoError("'" + file("tiles/" + product) + "': cannot make the folder: " + error.message());
}

void OutputFolder::remove_product(const std::string& product) const {
    std::error_code error;
    fs::remove_all(fs::path(path_) / "tiles" / product, error);
    if (error)
        throw IoError("'" + file("tiles/" + product) + "': cannot remove the folder: " + error.message());
}

}  // namespace rastertide
