// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include <gdal.h>

#include <rastertide/core/error.hpp>
#include <rastertide/write/hdf5_copy.hpp>
#include <rastertide/write/stack_writer.hpp>

#include "core/rounding.hpp"
#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"

namespace rastertide {
namespace {

/// Windows of whole chunks, full rows of them where they fit.
std::vector<Window> copy_windows(const StackLayout& layout) {
    constexpr std::int64_t kMostValues = 4 << 20;
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

void read_bands(GDALDatasetH dataset, const std::string& path, const Window& window,
                std::vector<float>& values) {
    const GdalErrorCapture errors;
    const auto n_cols = static_cast<int>(window.n_cols);
    const auto n_rows = static_cast<int>(window.n_rows);
    const int n_bands = GDALGetRasterCount(dataset);
    values.resize(static_cast<std::size_t>(n_bands * window.n_pixels()));
    const CPLErr status = GDALDatasetRasterIOEx(
        dataset, GF_Read, static_cast<int>(window.col), static_cast<int>(window.row), n_cols, n_rows,
        values.data(), n_cols, n_rows, GDT_Float32, n_bands, nullptr, 0, 0, 0, nullptr);
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

void copy_to_hdf5(const std::string& source, const std::string& path, const Product& product,
                  const Grid& grid, const std::vector<Date>& dates) {
    const GdalErrorCapture errors;
    const DatasetHandle dataset(
        GDALOpenEx(source.c_str(), GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, nullptr, nullptr, nullptr));
    if (dataset == nullptr) errors.throw_error("'" + source + "': cannot open the product");
    if (static_cast<std::size_t>(GDALGetRasterCount(dataset.get())) != dates.size()) {
        throw InternalError("'" + source + "' has not a band a date");
    }
    StackLayout layout;
    layout.grid = grid;
    layout.dates = dates;
    layout.variable = product.name;
    layout.type = product.type;
    layout.nodata = product.nodata;
    layout.attributes = product.metadata;
    const std::unique_ptr<StackWriter> writer = make_hdf5_stack(path, layout);
    std::vector<float> values;
    for (const Window& window : copy_windows(layout)) {
        read_bands(dataset.get(), source, window, values);
        writer->write(window, values.data());
    }
    writer->close();
}

}  // namespace rastertide
