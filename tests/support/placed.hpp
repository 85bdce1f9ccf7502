// SPDX-License-Identifier: Apache-2.0
// Rasters that lie where a test wants them, and GDAL's own warper as an oracle.
#pragma once

#include <array>
#include <sstream>
#include <string>

#include <gdal_utils.h>

#include "support/rasters.hpp"

namespace rastertide::testing_support {

using Coefficients = std::array<double, 6>;

/// As write_bands(), at another place. @param epsg  0: the CRS that write_bands() gives
inline void write_placed(const std::string& path, const Bands& bands, Coefficients coefficients, int epsg = 0,
                         GDALDataType type = GDT_Float32) {
    write_bands(path, bands, type);
    const GDALDatasetUniquePtr file(GDALDataset::Open(path.c_str(), GDAL_OF_UPDATE));
    file->SetGeoTransform(coefficients.data());
    if (epsg == 0) return;
    OGRSpatialReference crs;
    crs.importFromEPSG(epsg);
    file->SetSpatialRef(&crs);
}

/// gdalwarp with exact transformation. @param words  its options, separated by spaces
inline void warp(const std::string& from, const std::string& to, const std::string& words) {
    CPLStringList list;
    std::istringstream stream("-et 0 " + words);
    for (std::string word; stream >> word;) list.AddString(word.c_str());
    GDALWarpAppOptions* options = GDALWarpAppOptionsNew(list.List(), nullptr);
    GDALDatasetH source = GDALOpen(from.c_str(), GA_ReadOnly);
    GDALDatasetH warped = GDALWarp(to.c_str(), nullptr, 1, &source, options, nullptr);
    GDALWarpAppOptionsFree(options);
    GDALClose(source);
    if (warped == nullptr) throw std::runtime_error("cannot warp " + from);
    GDALClose(warped);
}

inline Coefficients coefficients_of(const std::string& path) {
    Coefficients coefficients{};
    const GDALDatasetUniquePtr file(GDALDataset::Open(path.c_str()));
    if (file == nullptr) throw std::runtime_error("cannot open " + path);
    file->GetGeoTransform(coefficients.data());
    return coefficients;
}

/// A part of a raster.
inline Bands cropped(const Bands& bands, int col, int row, int n_cols, int n_rows) {
    Bands part{bands.n_bands, n_rows, n_cols, {}};
    for (int band = 0; band < bands.n_bands; ++band) {
        for (int i = 0; i < n_rows; ++i) {
            for (int j = 0; j < n_cols; ++j) part.values.push_back(bands.at(band, row + i, col + j));
        }
    }
    return part;
}

}  // namespace rastertide::testing_support
