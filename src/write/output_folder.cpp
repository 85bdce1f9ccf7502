// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include <rastertide/core/error.hpp>
#include <rastertide/write/output_folder.hpp>
#include <rastertide/write/text_file.hpp>

#include "write/folder_lock.hpp"
#include "write/temporary_file.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunFile = "run.json";

/// A shard, whole or given up on, or what GDAL wrote beside it.
bool is_shard(const fs::path& entry) {
    const std::string name = entry.filename().string();
    return name.starts_with("t_") && (name.ends_with(".tif") || name.ends_with(".tif.aux.xml"));
}

/// A link is no folder of the run's: what it points at is somebody's.
bool is_folder(const fs::path& path) { return fs::is_directory(fs::symlink_status(path)); }

void remove_if_empty(const fs::path& folder) {
    if (is_folder(folder) && fs::is_empty(folder)) fs::remove(folder);
}

void remove_shards(const fs::path& folder) {
    if (fs::is_symlink(folder)) fs::remove(folder);
    if (!is_folder(folder)) return;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (is_shard(entry.path())) fs::remove(entry.path());
    }
    remove_if_empty(folder);
}

void remove_temporaries(const fs::path& folder) {
    if (!fs::is_directory(folder)) return;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        // Also folders, which some formats are.
        if (TemporaryFile::is_name(entry.path().filename().string())) fs::remove_all(entry.path());
    }
}

void remove_run(const fs::path& folder, const OutputFolder::Contents& contents) {
    const fs::path tiles = folder / "tiles";
    if (fs::is_symlink(tiles)) fs::remove(tiles);
    for (const std::string& product : contents.products) remove_shards(tiles / product);
    remove_temporaries(folder);
    remove_temporaries(tiles);
    remove_if_empty(tiles);
    for (const std::string& file : contents.files) {
        fs::remove(folder / file);
        fs::remove(folder / (file + ".aux.xml"));  // statistics of pixels that are gone
    }
}

/// But for the lock of another run that has just begun.
bool holds_nothing(const fs::path& folder) {
    return std::all_of(fs::directory_iterator(folder), fs::directory_iterator(),
                       [](const auto& entry) { return entry.path().filename() == FolderLock::kFileName; });
}

/// @return the lock
std::shared_ptr<const FolderLock> prepare(const fs::path& folder,
                                          const std::optional<OutputFolder::Contents>& earlier) {
    if (fs::exists(folder) && !fs::is_directory(folder)) {
        throw InvalidArgument("'" + folder.string() + "': the output must be a folder, this is a file");
    }
    fs::create_directories(folder);
    if (holds_nothing(folder)) return std::make_shared<FolderLock>(folder.string());
    if (!OutputFolder::holds_run(folder.string())) {
        throw InvalidArgument("'" + folder.string() +
                              "': the output folder is not empty and holds no earlier run; name an " +
                              "empty or a new folder");
    }
    if (!earlier) {
        throw InvalidArgument(
            "'" + folder.string() +
            "': the output folder holds a run; -overwrite replaces it, -resume goes on with it");
    }
    auto lock = std::make_shared<FolderLock>(folder.string());
    remove_run(folder, *earlier);
    return lock;
}

}  // namespace

bool OutputFolder::holds_run(const std::string& path) {
    std::error_code ignored;
    return fs::exists(fs::path(path) / kRunFile, ignored);
}

OutputFolder OutputFolder::make(const std::string& path, const std::optional<Contents>& earlier) {
    try {
        OutputFolder folder(path);
        folder.lock_ = prepare(path, earlier);
        return folder;
    } catch (const fs::filesystem_error& error) {
        throw IoError("'" + path + "': cannot prepare the output folder: " + error.code().message());
    }
}

OutputFolder OutputFolder::resume(const std::string& path) {
    try {
        OutputFolder folder(path);
        folder.lock_ = std::make_shared<FolderLock>(path);
        remove_temporaries(path);
        if (is_folder(folder.file("tiles"))) {
            remove_temporaries(folder.file("tiles"));
            for (const fs::directory_entry& product : fs::directory_iterator(folder.file("tiles"))) {
                if (is_folder(product.path())) remove_temporaries(product.path());
            }
        }
        return folder;
    } catch (const fs::filesystem_error& error) {
        throw IoError("'" + path + "': cannot go on in the output folder: " + error.code().message());
    }
}

bool OutputFolder::is_locked() const { return lock_ != nullptr && lock_->holds(); }

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
    try {
        remove_shards(fs::path(path_) / "tiles" / product);
    } catch (const fs::filesystem_error& failure) {
        throw IoError("'" + file("tiles/" + product) +
                      "': cannot remove the shards: " + failure.code().message());
    }
}

}  // namespace rastertide
