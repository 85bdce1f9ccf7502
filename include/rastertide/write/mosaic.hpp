// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/write/shard.hpp>

namespace rastertide {

using MetadataItems = std::vector<std::pair<std::string, std::string>>;

struct ProductBand {
    std::string description;
    MetadataItems metadata;  ///< DATE, STATISTICS_...
};

struct ColorEntry {
    int value = 0;
    int red = 0, green = 0, blue = 0, alpha = 255;
};

/// A raster of the run: what its file says beside the pixels.
struct Product {
    std::string name;  ///< "lof": the folder of its shards, and its file name without extension
    SampleType type = SampleType::Float32;
    double nodata = 0;
    std::vector<ProductBand> bands;
    MetadataItems metadata;
    std::vector<std::string> categories;  ///< names of the values 0, 1, ...; may be empty
    std::vector<ColorEntry> colors;       ///< may be empty
    bool pixel_is_point = false;
};

/// One shard's place in the mosaic.
struct ShardPlace {
    std::string path;  ///< relative to the VRT's folder
    Window window;     ///< in the mosaic
};

/// Joins shards into one georeferenced raster: `path` is a VRT that refers to them by relative names. Written
/// atomically; the same arguments give the same bytes. @throws IoError
void write_mosaic(const std::string& path, const Grid& grid, const Product& product,
                  const std::vector<ShardPlace>& shards);

/// Copies a raster to a single file of another format ("COG", "GTiff", ...) in bounded memory; exact band
/// statistics are computed first if `with_statistics`. Written in a temporary folder beside `path`, then
/// moved with the files that the format puts beside it. @throws IoError, InvalidArgument (unknown format)
void copy_raster(const std::string& source, const std::string& path, const std::string& format,
                 const std::vector<std::string>& creation_options, bool with_statistics);

/// Tries what copy_raster() would do on a small raster of so many Float32 bands, before hours of work.
/// @throws InvalidArgument, IoError  unknown format or creation option, or the format cannot hold that
void check_copy_options(const std::string& format, const std::vector<std::string>& creation_options,
                        std::int64_t n_bands);

/// Whether GDAL's driver knows these options and values. @throws InvalidArgument naming the first that it
/// does not
void check_creation_options(const std::string& format, const std::vector<std::string>& creation_options);

/// The usual extension of files of a GDAL format ("tif" for GTiff and COG), without the dot.
/// @throws InvalidArgument  unknown format, or one that GDAL cannot write; --formats lists them
std::string format_extension(const std::string& format);

}  // namespace rastertide
