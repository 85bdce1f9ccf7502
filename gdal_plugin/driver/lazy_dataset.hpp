// SPDX-License-Identifier: Apache-2.0
// GDAL's view of a product that is computed when it is read.
#pragma once

#include <string>
#include <vector>

#include <gdal_priv.h>
#include <ogr_spatialref.h>

#include "driver/full_resolution.hpp"
#include "driver/lazy_product.hpp"
#include "driver/reduced_resolution.hpp"

#ifndef BANDMAP_TYPE  // before GDAL 3.10
#define BANDMAP_TYPE int*
#endif

namespace rastertide::plugin {

/// What GDAL asks of a raster or band.
struct ReadRequest {
    Window window;
    int n_data_cols = 0, n_data_rows = 0;
    ReadTarget target;
    GDALRasterIOExtraArg* extra = nullptr;

    bool is_whole() const { return n_data_cols == window.n_cols && n_data_rows == window.n_rows; }
    /// The part of the raster that the data show.
    ViewShape shape() const;
    GoOn go_on() const;
};

class LazyDataset final : public GDALDataset {
  public:
    LazyDataset(const std::string& name, const std::vector<std::string>& open_options);

    static int identify(GDALOpenInfo* info);
    static GDALDataset* open(GDALOpenInfo* info);
    /// Of a .rastertide file: GDAL's own would take the stack's files along.
    static CPLErr remove(const char* name);
    static CPLErr rename(const char* to, const char* from);
    static CPLErr copy_files(const char* to, const char* from);

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 12, 0)
    CPLErr GetGeoTransform(GDALGeoTransform& geotransform) const override;
#else
    CPLErr GetGeoTransform(double* geotransform) override;
#endif
    const OGRSpatialReference* GetSpatialRef() const override { return srs_.IsEmpty() ? nullptr : &srs_; }
    char** GetFileList() override;
#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 7, 0)
    CPLErr FlushCache(bool at_closing) override;
#else
    void FlushCache(bool at_closing) override;
#endif
    CPLErr IRasterIO(GDALRWFlag rw, int col, int row, int n_cols, int n_rows, void* data, int n_data_cols,
                     int n_data_rows, GDALDataType type, int n_bands, BANDMAP_TYPE bands,
                     GSpacing pixel_space, GSpacing line_space, GSpacing band_space,
                     GDALRasterIOExtraArg* extra) override;

    LazyProduct& product() { return product_; }
    FullResolution& full() { return full_; }
    ReducedResolution& reduced() { return reduced_; }
    /// Whether a reading is of sampled locations.
    static bool is_sampled(const ReadRequest& request);
    CPLErr refuse_writing();

  private:
    void describe();
    void forget();

    LazyProduct product_;
    FullResolution full_;
    ReducedResolution reduced_;
    OGRSpatialReference srs_;
    std::string name_;
    std::vector<std::string> open_options_;
};

}  // namespace rastertide::plugin
