// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <numeric>
#include <system_error>

#include <fcntl.h>
#include <gdal.h>
#include <unistd.h>

#include <rastertide/core/error.hpp>
#include <rastertide/core/stop.hpp>
#include <rastertide/write/hdf5_copy.hpp>
#include <rastertide/write/stack_writer.hpp>

#include "core/rounding.hpp"
#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "write/hdf5_stack_file.hpp"
#include "write/temporary_file.hpp"

namespace rastertide {
namespace {

/// Pixels that are held at a time, of all dates where they fit.
constexpr std::int64_t kMostValues = 1 << 20;

/// Windows of whole chunks, full rows of them where they fit.
std::vector<Window> copy_windows(const StackLayout& layout) {
    const auto n_dates = static_cast<std::int64_t>(layout.dates.size());
    const std::int64_t most_cols = kMostValues / n_dates / layout.chunk_n_rows;
    const std::int64_t n_cols = std::max(layout.chunk_n_cols, round_down(most_cols, layout.chunk_n_cols));
    std::vector<Window> windows;
    for (std::int64_t row = 0; row < layout.grid.n_rows; row += layout.chunk_n_rows) {
        for (std::int64_t col = 0; col < layout.grid.n_cols; col += n_cols) {
            windows.push_back(intersect({col, row, n_cols, layout.chunk_n_rows}, layout.grid.extent()));
        }
    }
    return windows;
}

/// Neighbours of one rank, so that few ranks decode the same block of a shard.
std::vector<Window> share_of(const std::vector<Window>& windows, const Hdf5Writers& writers) {
    const auto begin_of = [&](int rank) {
        return windows.begin() + static_cast<std::ptrdiff_t>(windows.size()) * rank / writers.n_ranks;
    };
    return {begin_of(writers.rank), begin_of(writers.rank + 1)};
}

/// @param first  from 0
void read_bands(GDALDatasetH dataset, const std::string& path, const Window& window, std::int64_t first,
                std::int64_t n, std::vector<float>& values) {
    const GdalErrorCapture errors;
    std::vector<int> bands(static_cast<std::size_t>(n));
    std::iota(bands.begin(), bands.end(), static_cast<int>(first) + 1);
    const auto n_cols = static_cast<int>(window.n_cols);
    const auto n_rows = static_cast<int>(window.n_rows);
    values.resize(static_cast<std::size_t>(n * window.n_pixels()));
    const CPLErr status = GDALDatasetRasterIOEx(
        dataset, GF_Read, static_cast<int>(window.col), static_cast<int>(window.row), n_cols, n_rows,
        values.data(), n_cols, n_rows, GDT_Float32, static_cast<int>(n), bands.data(), 0, 0, 0, nullptr);
    if (status != CE_None) errors.throw_error("'" + path + "': cannot read the product");
}

}  // namespace

bool is_hdf5_format(const std::string& format) { return EQUAL(format.c_str(), "HDF5"); }

void check_hdf5_copy(const Grid& grid, std::size_t n_dates,
                     const std::vector<std::string>& creation_options) {
    if (!creation_options.empty()) {
        throw InvalidArgument("-co '" + creation_options.front() + "': -of HDF5 has no creation options");
    }
    if (n_dates == 0) {
        throw InvalidArgument("-of HDF5: the scenes have no dates, expected one each; give them with -dates");
    }
    if (!grid.has_geotransform || !grid.geotransform.is_north_up()) {
        throw InvalidArgument("-of HDF5: x and y coordinates need a north-up geotransform");
    }
    StackLayout layout;
    layout.grid = grid.subset({0, 0, 1, 1});
    layout.dates.resize(1);
    layout.overwrite = true;
    try {
        make_hdf5_stack((std::filesystem::temp_directory_path() / "rastertide.h5").string(), layout);
    } catch (const BackendUnavailable&) {
        throw BackendUnavailable("-of HDF5: this build has no HDF5 (RASTERTIDE_WITH_HDF5=OFF)");
    }
}

Hdf5Copy::Hdf5Copy(const std::string& path, const Product& product, const Grid& grid,
                   const std::vector<Date>& dates)
    : path_(path) {
    layout_.grid = grid;
    layout_.dates = dates;
    layout_.variable = product.name;
    layout_.type = product.type;
    layout_.nodata = product.nodata;
    layout_.attributes = product.metadata;
}

Hdf5Copy::~Hdf5Copy() = default;

std::string Hdf5Copy::make() {
    temporary_ = std::make_unique<TemporaryFile>(path_);
    make_hdf5_file(path_, temporary_->path(), layout_);
    return temporary_->path();
}

void Hdf5Copy::require_writable(const std::string& made) const {
    const int descriptor = ::open(made.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) {
        throw IoError("'" + path_ + "': a rank cannot open it: " + std::generic_category().message(errno) +
                      "; all ranks have to see one output folder");
    }
    ::close(descriptor);
}

void Hdf5Copy::open(const std::string& made, const Hdf5Writers& writers) {
    made_ = made;
    writers_ = writers;
    pixels_ = open_hdf5_pixels(path_, made, layout_, writers.group);
}

void Hdf5Copy::fill(const std::string& source) {
    const GdalErrorCapture errors;
    const DatasetHandle dataset(
        GDALOpenEx(source.c_str(), GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, nullptr, nullptr, nullptr));
    if (dataset == nullptr) errors.throw_error("'" + source + "': cannot open the product");
    if (static_cast<std::size_t>(GDALGetRasterCount(dataset.get())) != layout_.dates.size()) {
        throw InternalError("'" + source + "' has not a band a date");
    }
    const auto n_dates = static_cast<std::int64_t>(layout_.dates.size());
    std::vector<float> values;
    for (const Window& window : share_of(copy_windows(layout_), writers_)) {
        const std::int64_t step = std::max<std::int64_t>(kMostValues / window.n_pixels(), 1);
        for (std::int64_t first = 0; first < n_dates; first += step) {
            throw_if_stopped();
            const std::int64_t n = std::min(step, n_dates - first);
            read_bands(dataset.get(), source, window, first, n, values);
            pixels_->write_dates(window, first, n, values.data());
        }
    }
}

bool Hdf5Copy::can_close() const {
    const int descriptor = ::open(made_.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return false;
    char first = 0;
    const bool rewritten = ::pread(descriptor, &first, 1, 0) == 1 && ::pwrite(descriptor, &first, 1, 0) == 1;
    return ::close(descriptor) == 0 && rewritten;
}

void Hdf5Copy::abandon() { static_cast<void>(pixels_.release()); }

void Hdf5Copy::close() {
    pixels_->close();
    pixels_.reset();
}

void Hdf5Copy::commit() { temporary_->commit(); }

}  // namespace rastertide
