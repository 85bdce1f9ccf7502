// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <regex>

#include <unistd.h>

#include <rastertide/core/error.hpp>
#include <rastertide/write/stack_writer.hpp>

#include "write/stack_layout.hpp"
#include "write/temporary_file.hpp"
#include "write/windowed_geotiff.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;

// Files that may stay open between two windows: below the usual limit of 1024 a process.
constexpr std::size_t kMaxOpenFiles = 512;

WindowedGeotiffSpec spec_of(const StackLayout& layout) {
    WindowedGeotiffSpec spec;
    spec.grid = layout.grid;
    spec.units = layout.units;
    spec.block_n_cols = layout.chunk_n_cols;
    spec.block_n_rows = layout.chunk_n_rows;
    spec.creation_options = layout.creation_options;
    return spec;
}

ProductBand band_of(const StackLayout& layout, const Date& date) {
    return {layout.variable, {{"DATE", date.iso()}}};
}

/// YYYYMMDD.
std::string compact_day(const Date& date) {
    std::string day = date.iso().substr(0, 10);
    std::erase(day, '-');
    return day;
}

/// A folder that is filled under another name and appears when it is whole; without commit() it is removed.
class TemporaryFolder {
  public:
    explicit TemporaryFolder(const fs::path& final_path)
        : final_path_(final_path), path_(final_path.string() + ".tmp" + std::to_string(getpid())) {
        std::error_code error;
        if (!fs::create_directory(path_, error)) {
            throw IoError("'" + final_path_.string() + "': cannot make the folder '" + path_.string() +
                          "': " + (error ? error.message() : "it exists"));
        }
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        if (!committed_) fs::remove_all(path_, ignored);
    }

    const fs::path& path() const { return path_; }

    /// Takes the place of whatever the final folder holds. @throws IoError
    void commit() {
        std::error_code error;
        fs::remove_all(final_path_, error);
        if (!error) fs::rename(path_, final_path_, error);
        if (error) {
            throw IoError("'" + final_path_.string() +
                          "': cannot put the finished stack there: " + error.message());
        }
        committed_ = true;
    }

  private:
    fs::path final_path_;
    fs::path path_;
    bool committed_ = false;
};

/// "out/stack/" and "out/stack" are one folder.
std::string without_trailing_slashes(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}

/// Only files that such a stack is made of may be in the way, and only if they may be replaced.
void check_folder(const std::string& folder, const std::string& prefix, bool overwrite) {
    if (!fs::exists(folder)) return;
    if (!fs::is_directory(folder))
        throw IoError("'" + folder + "': is a file; a stack of GeoTIFFs needs a folder");
    static const std::regex kDayAndExtension("_\\d{8}\\.tif(\\.aux\\.xml)?");
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (!overwrite)
            throw IoError("'" + folder + "': the folder is not empty; -overwrite replaces a stack");
        if (!name.starts_with(prefix) || !std::regex_match(name.substr(prefix.size()), kDayAndExtension)) {
            throw IoError("'" + folder + "': holds '" + name + "', which no stack of '" + prefix +
                          "' files holds: not overwritten");
        }
    }
}

class GeotiffStack final : public StackWriter {
  public:
    GeotiffStack(const std::string& folder, const std::string& prefix, const StackLayout& layout)
        : path_(folder),
          prefix_(prefix),
          overwrite_(layout.overwrite),
          grid_(layout.grid),
          n_dates_(layout.dates.size()),
          folder_(folder) {
        WindowedGeotiffSpec spec = spec_of(layout);
        spec.nodata = std::numeric_limits<double>::quiet_NaN();
        files_.reserve(n_dates_);
        for (const Date& date : layout.dates) {
            const fs::path path = folder_.path() / (prefix + "_" + compact_day(date) + ".tif");
            if (fs::exists(path)) {
                throw InvalidArgument("'" + folder + "': two scenes of " + date.iso().substr(0, 10) +
                                      " would have one name");
            }
            spec.bands = {band_of(layout, date)};
            files_.emplace_back(path.string(), spec);
            suspend_if_many(files_.back());
        }
    }

    void write(const Window& window, const float* values) override {
        check_window(path_, window, grid_);
        for (std::size_t i = 0; i < n_dates_; ++i) {
            files_[i].write(window, values + static_cast<std::int64_t>(i) * window.n_pixels());
            suspend_if_many(files_[i]);
        }
    }

    void close() override {
        for (WindowedGeotiff& file : files_) file.suspend();
        check_folder(path_, prefix_, overwrite_);  // again: whatever came since must not be removed
        folder_.commit();
    }

  private:
    void suspend_if_many(WindowedGeotiff& file) const {
        if (n_dates_ > kMaxOpenFiles) file.suspend();
    }

    std::string path_;
    std::string prefix_;
    bool overwrite_;
    Grid grid_;
    std::size_t n_dates_;
    TemporaryFolder folder_;  // before the files: they are closed before it is removed
    std::vector<WindowedGeotiff> files_;
};

class LabelStack final : public LabelWriter {
  public:
    LabelStack(const std::string& path, const StackLayout& layout, std::uint8_t nodata)
        : path_(path), grid_(layout.grid), file_(path), raster_(file_.path(), label_spec(layout, nodata)) {}

    void write(const Window& window, const std::uint8_t* values) override {
        check_window(path_, window, grid_);
        raster_.write(window, values);
    }

    void close() override {
        raster_.suspend();
        file_.commit();
    }

  private:
    static WindowedGeotiffSpec label_spec(const StackLayout& layout, std::uint8_t nodata) {
        WindowedGeotiffSpec spec = spec_of(layout);
        spec.type = SampleType::Byte;
        spec.nodata = nodata;
        spec.compression = "DEFLATE";
        for (const Date& date : layout.dates) spec.bands.push_back(band_of(layout, date));
        return spec;
    }

    std::string path_;
    Grid grid_;
    TemporaryFile file_;  // before the raster: it is closed before the file is removed
    WindowedGeotiff raster_;
};

}  // namespace

std::unique_ptr<StackWriter> make_geotiff_stack(const std::string& folder, const std::string& prefix,
                                                const StackLayout& layout) {
    const std::string path = without_trailing_slashes(folder);
    check_layout(path, layout);
    check_folder(path, prefix, layout.overwrite);
    GDALAllRegister();
    return std::make_unique<GeotiffStack>(path, prefix, layout);
}

std::unique_ptr<LabelWriter> make_label_stack(const std::string& path, const StackLayout& layout,
                                              std::uint8_t nodata) {
    check_layout(path, layout);
    check_absent(path, layout.overwrite);
    GDALAllRegister();
    return std::make_unique<LabelStack>(path, layout, nodata);
}

}  // namespace rastertide
