// SPDX-License-Identifier: Apache-2.0
#include "write/windowed_geotiff.hpp"

#include <algorithm>
#include <array>

#include <rastertide/core/error.hpp>

#include "core/rounding.hpp"
#include "read/gdal_error.hpp"
#include "write/gdal_types.hpp"

namespace rastertide {
namespace {

std::string cannot_write(const std::string& path) { return "'" + path + "': cannot write the raster"; }

/// No larger than the raster, as blocks are stored whole; TIFF wants multiples of 16.
std::string block_size(std::int64_t wanted, std::int64_t n) {
    constexpr std::int64_t kBlockUnit = 16;
    return std::to_string(round_up(std::min(wanted, n), kBlockUnit));
}

StringList creation_options(const WindowedGeotiffSpec& spec) {
    StringList options;
    options.set("INTERLEAVE", "BAND");
    options.set("BIGTIFF", "IF_SAFER");
    options.set("TILED", "YES");
    options.set("BLOCKXSIZE", block_size(spec.block_n_cols, spec.grid.n_cols));
    options.set("BLOCKYSIZE", block_size(spec.block_n_rows, spec.grid.n_rows));
    options.set("COMPRESS", spec.compression);
    options.set_all(spec.creation_options);
    return options;
}

void describe(GDALDatasetH dataset, const WindowedGeotiffSpec& spec) {
    if (spec.grid.has_geotransform) {
        std::array<double, 6> coefficients = spec.grid.geotransform.c;
        GDALSetGeoTransform(dataset, coefficients.data());
    }
    if (!spec.grid.crs_wkt.empty()) GDALSetProjection(dataset, spec.grid.crs_wkt.c_str());
    GDALSetRasterNoDataValue(GDALGetRasterBand(dataset, 1), spec.nodata);  // TIFF has one for all bands
    for (std::size_t i = 0; i < spec.bands.size(); ++i) {
        GDALRasterBandH band = GDALGetRasterBand(dataset, static_cast<int>(i) + 1);
        GDALSetDescription(band, spec.bands[i].description.c_str());
        if (!spec.units.empty()) GDALSetRasterUnitType(band, spec.units.c_str());
        for (const auto& [key, value] : spec.bands[i].metadata) {
            GDALSetMetadataItem(band, key.c_str(), value.c_str(), nullptr);
        }
    }
}

}  // namespace

WindowedGeotiff::WindowedGeotiff(std::string path, const WindowedGeotiffSpec& spec)
    : path_(std::move(path)), type_(spec.type) {
    GdalErrorCapture errors;
    dataset_.reset(GDALCreate(driver_by_name("GTiff"), path_.c_str(), static_cast<int>(spec.grid.n_cols),
                              static_cast<int>(spec.grid.n_rows), static_cast<int>(spec.bands.size()),
                              gdal_type(type_), creation_options(spec).get()));
    if (dataset_ == nullptr) errors.throw_error(cannot_write(path_));
    describe(dataset_.get(), spec);
    errors.throw_if_failed(cannot_write(path_));
}

WindowedGeotiff::~WindowedGeotiff() {
    if (dataset_ == nullptr) return;
    const GdalErrorCapture quiet;  // what went wrong has been thrown; the file is about to be removed
    dataset_.reset();
}

void WindowedGeotiff::write(const Window& window, const void* values) {
    GdalErrorCapture errors;
    resume();
    const GSpacing pixel = bytes_of(type_);
    const GSpacing line = pixel * window.n_cols;
    const auto n_cols = static_cast<int>(window.n_cols);
    const auto n_rows = static_cast<int>(window.n_rows);
    const int n_bands = GDALGetRasterCount(dataset_.get());
    for (int i_band = 1; i_band <= n_bands; ++i_band) {
        GDALRasterBandH band = GDALGetRasterBand(dataset_.get(), i_band);
        // GDAL's C interface takes one pointer for both directions; writing does not change the data.
        auto* data =
            const_cast<char*>(static_cast<const char*>(values)) + (i_band - 1) * line * window.n_rows;
        const CPLErr status =
            GDALRasterIOEx(band, GF_Write, static_cast<int>(window.col), static_cast<int>(window.row), n_cols,
                           n_rows, data, n_cols, n_rows, gdal_type(type_), pixel, line, nullptr);
        if (status != CE_None) errors.throw_error(cannot_write(path_));
        // GDAL's cache would keep blocks up to its own limit, beside the caller's memory limit.
        if (GDALFlushRasterCache(band) != CE_None) errors.throw_error(cannot_write(path_));
    }
    errors.throw_if_failed(cannot_write(path_));
}

void WindowedGeotiff::suspend() {
    if (dataset_ == nullptr) return;
    GdalErrorCapture errors;
    dataset_.reset();
    errors.throw_if_failed(cannot_write(path_));
}

void WindowedGeotiff::resume() {
    if (dataset_ != nullptr) return;
    GdalErrorCapture errors;
    dataset_.reset(GDALOpenEx(path_.c_str(), GDAL_OF_RASTER | GDAL_OF_UPDATE | GDAL_OF_VERBOSE_ERROR, nullptr,
                              nullptr, nullptr));
    if (dataset_ == nullptr) errors.throw_error(cannot_write(path_));
}

}  // namespace rastertide
