// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rastertide {

class FolderLock;

/// The folder of one run: products at the top, shards in tiles/<product>/, run.json as the mark that it is a
/// run's.
class OutputFolder {
  public:
    /// What an earlier run wrote to the folder.
    struct Contents {
        std::vector<std::string> files;     ///< at the top
        std::vector<std::string> products;  ///< with shards in tiles/<product>
    };

    /// Whether the folder holds a run.
    static bool holds_run(const std::string& path);
    /// Makes the folder, or takes an empty one, and locks it. One that holds a run is emptied of `earlier` if
    /// that is given; other files are never touched.
    /// @throws IoError          the folder cannot be made or written to, or another process has locked it
    /// @throws InvalidArgument  it holds a run and `earlier` is not given, or no run but other files
    static OutputFolder make(const std::string& path, const std::optional<Contents>& earlier);
    /// Takes and locks a folder that holds a run, to go on with it. What was being written when that run died
    /// is removed: files with temporary names.
    /// @throws IoError  another process has locked it, or something cannot be removed
    static OutputFolder resume(const std::string& path);
    /// The same folder on another rank: nothing is checked or made.
    explicit OutputFolder(std::string path) : path_(std::move(path)) {}

    const std::string& path() const { return path_; }
    /// Whether other runs are kept out; not so on file systems without locks, and on other ranks.
    bool is_locked() const;
    std::string file(const std::string& name) const { return path_ + "/" + name; }
    /// tiles/<product>/t_RRRR_CCCC.tif, relative to the folder.
    static std::string shard_name(const std::string& product, std::int64_t tile_row, std::int64_t tile_col);
    /// The folder of a product's shards, made if it is missing.
    void make_product(const std::string& product) const;
    /// Removes a product's shards (those between two stages).
    void remove_product(const std::string& product) const;

  private:
    std::string path_;
    std::shared_ptr<const FolderLock> lock_;
};

}  // namespace rastertide
