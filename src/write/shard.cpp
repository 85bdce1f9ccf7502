// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <vector>

#include <cpl_string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
static_assert(XXH_VERSION_NUMBER >= 800, "XXH3 is stable from 0.8 on");

#include <rastertide/core/error.hpp>
#include <rastertide/write/shard.hpp>

#include "core/rounding.hpp"
#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "write/gdal_types.hpp"
#include "write/temporary_file.hpp"

namespace rastertide {
namespace {

constexpr std::int64_t kBlockSize = 256;
constexpr std::int64_t kBlockUnit = 16;  // TIFF's: tile sizes are multiples of it

/// Even blocks of at most kBlockSize: a tile of 272 columns takes two of 144, not 256 and a mostly empty one.
std::int64_t block_size(std::int64_t n) {
    const std::int64_t n_blocks = (n + kBlockSize - 1) / kBlockSize;
    const std::int64_t even = (n + n_blocks - 1) / n_blocks;
    return round_up(even, kBlockUnit);
}

SampleType memory_type(SampleType type) { return type == SampleType::Float64 ? SampleType::Float32 : type; }

StringList creation_options(const Grid& grid, const ShardFormat& format) {
    StringList options;
    options.set("INTERLEAVE", "BAND");
    options.set("BIGTIFF", "IF_SAFER");
    options.set("TILED", "YES");
    options.set("BLOCKXSIZE", std::to_string(block_size(grid.n_cols)));
    options.set("BLOCKYSIZE", std::to_string(block_size(grid.n_rows)));
    options.set_all(format.creation_options);
    // The floating point predictor is for the scores alone; masks and counts have the other one.
    if (memory_type(format.type) != SampleType::Float32 && options.value("PREDICTOR") == "3")
        options.set("PREDICTOR", "2");
    return options;
}

DatasetHandle create(const std::string& path, const Grid& grid, std::int64_t n_bands,
                     const ShardFormat& format) {
    StringList options = creation_options(grid, format);
    DatasetHandle dataset(GDALCreate(driver_by_name("GTiff"), path.c_str(), static_cast<int>(grid.n_cols),
                                     static_cast<int>(grid.n_rows), static_cast<int>(n_bands),
                                     gdal_type(format.type), options.get()));
    if (dataset == nullptr) return dataset;
    if (grid.has_geotransform) {
        std::array<double, 6> coefficients = grid.geotransform.c;
        GDALSetGeoTransform(dataset.get(), coefficients.data());
    }
    if (!grid.crs_wkt.empty()) GDALSetProjection(dataset.get(), grid.crs_wkt.c_str());
    GDALSetRasterNoDataValue(GDALGetRasterBand(dataset.get(), 1),
                             format.nodata);  // TIFF has one for all bands
    return dataset;
}

CPLErr transfer(GDALDatasetH dataset, GDALRWFlag direction, const Grid& grid, int first_band,
                std::int64_t n_bands, SampleType type, void* data) {
    const GSpacing pixel = bytes_of(type);
    const GSpacing line = pixel * grid.n_cols;
    std::vector<int> bands(static_cast<std::size_t>(n_bands));
    std::iota(bands.begin(), bands.end(), first_band);
    return GDALDatasetRasterIOEx(dataset, direction, 0, 0, static_cast<int>(grid.n_cols),
                                 static_cast<int>(grid.n_rows), data, static_cast<int>(grid.n_cols),
                                 static_cast<int>(grid.n_rows), gdal_type(type), static_cast<int>(n_bands),
                                 bands.data(), pixel, line, line * grid.n_rows, nullptr);
}

/// Whether the file has another value than NaN where the memory has NaN.
bool replaces_nan(const ShardFormat& format) {
    return memory_type(format.type) == SampleType::Float32 && !std::isnan(format.nodata);
}

/// Of a shard's values as they are in the file, but for Float64, which is of the Float32 it was made from.
class Checksum {
  public:
    static constexpr const char* kItem = "RASTERTIDE_XXH3";

    void add(const void* data, std::int64_t n_bytes) {
        XXH3_64bits_update(state_.get(), data, static_cast<std::size_t>(n_bytes));
    }
    std::string text() const {
        std::array<char, 17> text{};
        std::snprintf(text.data(), text.size(), "%016llx",
                      static_cast<unsigned long long>(XXH3_64bits_digest(state_.get())));
        return text.data();
    }

  private:
    struct Free {
        void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    std::unique_ptr<XXH3_state_t, Free> state_ = [] {
        std::unique_ptr<XXH3_state_t, Free> state(XXH3_createState());
        if (state == nullptr) throw std::bad_alloc();
        XXH3_64bits_reset(state.get());
        return state;
    }();
};

/// Whether values come back as they were written.
bool is_lossless(const ShardFormat& format) {
    StringList options;
    options.set_all(format.creation_options);
    const std::string compression = options.value("COMPRESS");
    for (const char* lossy : {"JPEG", "JXL", "WEBP", "LERC", "LERC_DEFLATE", "LERC_ZSTD"}) {
        if (EQUAL(compression.c_str(), lossy)) return false;
    }
    return options.value("DISCARD_LSB").empty() && options.value("NBITS").empty();
}

/// Band by band: a copy of all would double the tile's memory.
CPLErr write_with_nodata(GDALDatasetH dataset, const Grid& grid, std::int64_t n_bands,
                         const ShardFormat& format, const float* data, Checksum& checksum) {
    const std::int64_t n_pixels = grid.extent().n_pixels();
    const auto nodata = static_cast<float>(format.nodata);
    std::vector<float> band(static_cast<std::size_t>(n_pixels));
    CPLErr status = CE_None;
    for (std::int64_t i = 0; i < n_bands && status == CE_None; ++i) {
        std::transform(data + i * n_pixels, data + (i + 1) * n_pixels, band.begin(),
                       [=](float value) { return std::isnan(value) ? nodata : value; });
        checksum.add(band.data(), n_pixels * std::int64_t{sizeof(float)});
        status =
            transfer(dataset, GF_Write, grid, static_cast<int>(i) + 1, 1, SampleType::Float32, band.data());
    }
    return status;
}

CPLErr write_as_it_is(GDALDatasetH dataset, const Grid& grid, std::int64_t n_bands, SampleType type,
                      const void* data, Checksum& checksum) {
    checksum.add(data, n_bands * grid.extent().n_pixels() * bytes_of(type));
    // GDAL's C interface takes one pointer for both directions; writing does not change the data.
    return transfer(dataset, GF_Write, grid, 1, n_bands, type, const_cast<void*>(data));
}

/// @throws IoError  the shard has a checksum, and it is not that of `data`
void require_checksum(GDALDatasetH dataset, const void* data, std::int64_t n_bytes, const std::string& what) {
    const char* expected = GDALGetMetadataItem(dataset, Checksum::kItem, nullptr);
    if (expected == nullptr) return;
    Checksum found;
    found.add(data, n_bytes);
    if (found.text() == expected) return;
    throw IoError(what + ": it is damaged: the checksum of its pixels is " + found.text() + ", was " +
                  expected + " when they were written");
}

}  // namespace

std::int64_t bytes_of(SampleType type) { return GDALGetDataTypeSizeBytes(gdal_type(type)); }

void write_shard(const std::string& path, const Grid& grid, std::int64_t n_bands, const ShardFormat& format,
                 const void* data) {
    const std::string what = "'" + path + "': cannot write the shard";
    TemporaryFile file(path);
    GdalErrorCapture errors;
    DatasetHandle dataset = create(file.path(), grid, n_bands, format);
    if (dataset == nullptr) errors.throw_error(what);
    Checksum checksum;
    const CPLErr status = replaces_nan(format) ? write_with_nodata(dataset.get(), grid, n_bands, format,
                                                                   static_cast<const float*>(data), checksum)
                                               : write_as_it_is(dataset.get(), grid, n_bands,
                                                                memory_type(format.type), data, checksum);
    if (is_lossless(format))
        GDALSetMetadataItem(dataset.get(), Checksum::kItem, checksum.text().c_str(), nullptr);
    dataset.reset();  // writes what is still in the cache: a full disk often shows only here
    if (status != CE_None) errors.throw_error(what);
    errors.throw_if_failed(what);
    file.commit();
}

void read_shard(const std::string& path, const Grid& grid, std::int64_t n_bands, const ShardFormat& format,
                void* data) {
    const std::string what = "'" + path + "': cannot read the shard";
    GdalErrorCapture errors;
    const DatasetHandle dataset(
        GDALOpenEx(path.c_str(), GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, nullptr, nullptr, nullptr));
    if (dataset == nullptr) errors.throw_error(what);
    if (GDALGetRasterXSize(dataset.get()) != grid.n_cols ||
        GDALGetRasterYSize(dataset.get()) != grid.n_rows || GDALGetRasterCount(dataset.get()) != n_bands) {
        throw IoError(what + ": its size is not that of the tile");
    }
    if (transfer(dataset.get(), GF_Read, grid, 1, n_bands, memory_type(format.type), data) != CE_None) {
        errors.throw_error(what);
    }
    errors.throw_if_failed(what);
    require_checksum(dataset.get(), data,
                     n_bands * grid.extent().n_pixels() * bytes_of(memory_type(format.type)), what);
    if (!replaces_nan(format)) return;
    auto* values = static_cast<float*>(data);
    std::replace(values, values + n_bands * grid.extent().n_pixels(), static_cast<float>(format.nodata),
                 std::numeric_limits<float>::quiet_NaN());
}

}  // namespace rastertide
