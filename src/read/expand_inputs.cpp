// SPDX-License-Identifier: Apache-2.0
#include "read/expand_inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>

#include <rastertide/core/error.hpp>

#include "read/gdal_error.hpp"
#include "read/lower_case.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;

/// Sidecars of rasters, which some driver may still open.
bool is_sidecar(const fs::path& path) {
    const std::string name = path.filename().string();
    const auto ends_with = [&](const char* end) { return name.ends_with(end); };
    return name.starts_with(".") || ends_with(".aux.xml") || ends_with(".ovr") || ends_with(".msk") ||
           ends_with(".json") || ends_with(".txt") || ends_with(".csv");
}

/// In lower case, with its dot.
std::string extension_of(const std::string& path) { return lower_case(fs::path(path).extension().string()); }

/// A file that looks like the folder's rasters and is none is a date that would be missed (an interrupted
/// download). Of XML files some are rasters and others describe them.
std::vector<std::string> damaged_rasters(const std::vector<std::string>& rasters,
                                         const std::vector<std::string>& others) {
    std::set<std::string> extensions;
    for (const std::string& raster : rasters) extensions.insert(extension_of(raster));
    extensions.erase("");
    extensions.erase(".xml");
    std::vector<std::string> damaged;
    for (const std::string& other : others) {
        if (extensions.count(extension_of(other)) > 0) damaged.push_back(other);
    }
    return damaged;
}

/// Of a file or folder, those in GDAL's file systems (/vsizip/, /vsimem/, ...) included.
class PathStat {
  public:
    explicit PathStat(const std::string& path) {
        found_ = VSIStatExL(path.c_str(), &stat_,
                            VSI_STAT_EXISTS_FLAG | VSI_STAT_NATURE_FLAG | VSI_STAT_SIZE_FLAG) == 0;
    }
    bool is_folder() const { return found_ && VSI_ISDIR(stat_.st_mode); }
    bool is_file() const { return found_ && VSI_ISREG(stat_.st_mode); }
    std::int64_t n_bytes() const { return static_cast<std::int64_t>(stat_.st_size); }

  private:
    VSIStatBufL stat_{};
    bool found_ = false;
};

std::vector<std::string> rasters_in(const std::string& folder, Damaged damaged) {
    std::vector<std::string> rasters;
    std::vector<std::string> others;
    const GdalErrorCapture quiet;
    const CPLStringList names(VSIReadDir(folder.c_str()));
    if (names.List() == nullptr) throw IoError("'" + folder + "': the folder is empty or cannot be listed");
    for (int i = 0; i < names.Count(); ++i) {
        const std::string path = (fs::path(folder) / names[i]).string();
        if (is_sidecar(path) || !PathStat(path).is_file()) continue;
        const bool is_raster =
            GDALIdentifyDriverEx(path.c_str(), GDAL_OF_RASTER, nullptr, nullptr) != nullptr;
        (is_raster ? rasters : others).push_back(path);
    }
    if (rasters.empty()) throw InvalidArgument("'" + folder + "': the folder holds no raster");
    std::sort(others.begin(), others.end());
    for (const std::string& file : damaged_rasters(rasters, others)) {
        if (damaged == Damaged::Refuse) {
            throw IoError("'" + file + "': is no raster (" + std::to_string(PathStat(file).n_bytes()) +
                          " bytes), expected one like the folder's other " + extension_of(file) + " files");
        }
        rasters.push_back(file);
    }
    std::sort(rasters.begin(), rasters.end());
    return rasters;
}

/// In an archive or a bucket a folder may be one raster for some driver (Zarr, a zipped product).
bool is_folder_of_rasters(const std::string& input) {
    const GdalErrorCapture quiet;
    if (!PathStat(input).is_folder()) return false;
    const bool is_local = !input.starts_with("/vsi");
    return is_local || GDALIdentifyDriverEx(input.c_str(), GDAL_OF_RASTER, nullptr, nullptr) == nullptr;
}

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw IoError("'" + path + "': cannot read the input file list");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

}  // namespace

std::vector<std::string> expand_inputs(const std::vector<std::string>& inputs,
                                       const std::string& input_file_list, Damaged damaged) {
    std::vector<std::string> named = inputs;
    if (!input_file_list.empty()) {
        const std::vector<std::string> lines = lines_of(input_file_list);
        named.insert(named.end(), lines.begin(), lines.end());
    }
    std::vector<std::string> rasters;
    for (const std::string& input : named) {
        if (is_folder_of_rasters(input)) {
            const std::vector<std::string> inside = rasters_in(input, damaged);
            rasters.insert(rasters.end(), inside.begin(), inside.end());
        } else {
            rasters.push_back(input);
        }
    }
    if (rasters.empty()) throw InvalidArgument("no input: name rasters, a folder, or -input_file_list FILE");
    return rasters;
}

}  // namespace rastertide
