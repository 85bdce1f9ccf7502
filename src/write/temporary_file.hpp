// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <regex>
#include <string>

#include <unistd.h>

#include <rastertide/core/error.hpp>

namespace rastertide {

/// A file that is written under another name and appears under its own when it is whole; without commit() it
/// is removed.
class TemporaryFile {
  public:
    /// The temporary name keeps the extension, by which some GDAL drivers choose what to write.
    explicit TemporaryFile(const std::string& final_path) : final_path_(final_path) {
        const std::filesystem::path target(final_path);
        std::filesystem::path name = target.stem();
        name += ".tmp" + std::to_string(getpid());
        name += target.extension();
        path_ = (target.parent_path() / name).string();
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (committed_) return;
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
        std::filesystem::remove(path_ + kSidecar, ignored);
    }

    const std::string& path() const { return path_; }

    /// Whether a file name is one of a temporary file, or of its sidecar.
    static bool is_name(const std::string& name) {
        static const std::regex pattern(R"(.*\.tmp[0-9]+(\.[A-Za-z0-9]+)*)");
        return std::regex_match(name, pattern);
    }

    /// The sidecar that GDAL writes for what a format cannot hold goes along, if there is one. @throws
    /// IoError
    void commit() {
        if (std::filesystem::exists(path_ + kSidecar)) {
            rename(path_ + kSidecar, final_path_ + kSidecar);
        } else {
            std::error_code none_there;
            std::filesystem::remove(final_path_ + kSidecar, none_there);  // of an earlier file: stale
        }
        rename(path_, final_path_);
        committed_ = true;
    }

  private:
    static constexpr const char* kSidecar = ".aux.xml";

    static void rename(const std::string& from, const std::string& to) {
        std::error_code error;
        std::filesystem::rename(from, to, error);
        if (error) throw IoError("'" + to + "': cannot rename '" + from + "' to it: " + error.message());
    }

    std::string final_path_;
    std::string path_;
    bool committed_ = false;
};

}  // namespace rastertide
