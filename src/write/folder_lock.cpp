// SPDX-License-Identifier: Apache-2.0
#include "write/folder_lock.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

/// Whether the path still is the file that was opened: the run before may have removed it meanwhile.
bool is_at(const std::string& path, int file) {
    struct stat opened {};
    struct stat found {};
    return fstat(file, &opened) == 0 && stat(path.c_str(), &found) == 0 && opened.st_dev == found.st_dev &&
           opened.st_ino == found.st_ino;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder) : path_(folder + "/" + kFileName) {
    constexpr mode_t kEverybodysUmask = 0666;
    for (;;) {
        file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kEverybodysUmask);
        if (file_ < 0) throw IoError("'" + path_ + "': cannot make the lock: " + std::strerror(errno));
        if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
            const bool taken = errno == EWOULDBLOCK;
            if (!taken) return;  // no locks here
            close(file_);
            throw IoError("'" + folder + "': another run is at work in the output folder (it holds '" +
                          kFileName + "')");
        }
        if (is_at(path_, file_)) break;
        close(file_);
    }
    holds_ = true;
}

FolderLock::~FolderLock() {
    unlink(path_.c_str());
    close(file_);
}

}  // namespace rastertide
