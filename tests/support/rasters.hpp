// SPDX-License-Identifier: Apache-2.0
// Small rasters for tests, and reading results back.
#pragma once

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <gdal_priv.h>
#include <ogr_spatialref.h>

namespace rastertide::testing_support {

struct Bands {
    int n_bands = 0, n_rows = 0, n_cols = 0;
    std::vector<float> values;  ///< [band][row][col]

    float at(int band, int row, int col) const {
        return values.at((static_cast<std::size_t>(band) * static_cast<std::size_t>(n_rows) +
                          static_cast<std::size_t>(row)) *
                             static_cast<std::size_t>(n_cols) +
                         static_cast<std::size_t>(col));
    }
};

inline Bands read_bands(const std::string& path) {
    GDALAllRegister();
    const GDALDatasetUniquePtr dataset(GDALDataset::Open(path.c_str()));
    if (dataset == nullptr) throw std::runtime_error("cannot open " + path);
    Bands bands{dataset->GetRasterCount(), dataset->GetRasterYSize(), dataset->GetRasterXSize(), {}};
    bands.values.resize(static_cast<std::size_t>(bands.n_bands) * static_cast<std::size_t>(bands.n_rows) *
                        static_cast<std::size_t>(bands.n_cols));
    if (dataset->RasterIO(GF_Read, 0, 0, bands.n_cols, bands.n_rows, bands.values.data(), bands.n_cols,
                          bands.n_rows, GDT_Float32, bands.n_bands, nullptr, 0, 0, 0) != CE_None) {
        throw std::runtime_error("cannot read " + path);
    }
    return bands;
}

/// Writes a GeoTIFF in EPSG:32632 at 10 m with nodata NaN. @param creation_options  NAME=VALUE
inline void write_bands(const std::string& path, const Bands& bands, GDALDataType type = GDT_Float32,
                        const std::vector<std::string>& creation_options = {}) {
    GDALAllRegister();
    GDALDriver* driver = GetGDALDriverManager()->GetDriverByName("GTiff");
    CPLStringList list;
    for (const std::string& option : creation_options) list.AddString(option.c_str());
    const GDALDatasetUniquePtr dataset(
        driver->Create(path.c_str(), bands.n_cols, bands.n_rows, bands.n_bands, type, list.List()));
    if (dataset == nullptr) throw std::runtime_error("cannot create " + path);
    OGRSpatialReference crs;
    crs.importFromEPSG(32632);
    dataset->SetSpatialRef(&crs);
    double coefficients[] = {480000, 10, 0, 5990000, 0, -10};
    dataset->SetGeoTransform(coefficients);
    if (type == GDT_Float32)
        dataset->GetRasterBand(1)->SetNoDataValue(std::numeric_limits<double>::quiet_NaN());
    if (dataset->RasterIO(GF_Write, 0, 0, bands.n_cols, bands.n_rows, const_cast<float*>(bands.values.data()),
                          bands.n_cols, bands.n_rows, GDT_Float32, bands.n_bands, nullptr, 0, 0,
                          0) != CE_None) {
        throw std::runtime_error("cannot write " + path);
    }
}

}  // namespace rastertide::testing_support
