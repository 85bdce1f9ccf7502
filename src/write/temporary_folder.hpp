// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <unistd.h>

#include <rastertide/core/error.hpp>

namespace rastertide {

/// A folder beside a file that is to be made, for formats that put other files next to it; gone with the
/// object.
class TemporaryFolder {
  public:
    explicit TemporaryFolder(const std::string& final_path)
        : target_(final_path), folder_(final_path + ".tmp" + std::to_string(getpid())) {
        std::error_code error;
        std::filesystem::create_directory(folder_, error);
        if (error) throw IoError("'" + folder_.string() + "': cannot make the folder: " + error.message());
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    /// Where the file is to be written: it has its own name already, which some formats repeat inside.
    std::string file() const { return (folder_ / target_.filename()).string(); }

    /// Moves everything in the folder to its place, the file itself last. A sidecar of an earlier file goes.
    /// @throws IoError
    void commit() {
        std::error_code error;
        std::filesystem::remove(target_.string() + ".aux.xml", error);
        for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder_)) {
            if (entry.path().filename() != target_.filename()) move(entry.path());
        }
        move(file());
    }

  private:
    void move(const std::filesystem::path& from) const {
        const std::filesystem::path to = target_.parent_path() / from.filename();
        std::error_code error;
        std::filesystem::rename(from, to, error);
        if (error) {
            throw IoError("'" + to.string() + "': cannot rename '" + from.string() +
                          "' to it: " + error.message());
        }
    }

    std::filesystem::path target_;
    std::filesystem::path folder_;
};

}  // namespace rastertide
