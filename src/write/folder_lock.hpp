// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace rastertide {

/// Keeps a second run out of a folder: a locked file in it, which goes with the lock. The system takes the
/// lock back when its process ends, however that happens.
class FolderLock {
  public:
    static constexpr const char* kFileName = "run.lock";

    /// @throws IoError  another process holds the lock, or the file cannot be made
    explicit FolderLock(const std::string& folder);
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock();

    /// False on file systems without locks.
    bool holds() const { return holds_; }

  private:
    std::string path_;
    int file_ = -1;
    bool holds_ = false;
};

}  // namespace rastertide
