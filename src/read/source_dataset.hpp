// SPDX-License-Identifier: Apache-2.0
// A source as GDAL's warper sees it.
#pragma once

#include <exception>

#include <gdal_priv.h>
#include <ogr_spatialref.h>

#include "read/source.hpp"

namespace rastertide {

/// Bands of Float32 with nodata NaN, whatever the source is made of: masks, nodata, scale and offset of the
/// file have been taken into account, so that no resampling mixes invalid values in.
class SourceDataset final : public GDALDataset {
  public:
    /// A grid without pixels, to be asked where it lies.
    explicit SourceDataset(const Grid& grid);
    /// @param source  outlives this
    SourceDataset(const Grid& grid, RasterSource& source);

    /// Where read() puts what it needs beside the pixels; to be set before pixels are read.
    void use(ReadScratch& scratch) { scratch_ = &scratch; }
    /// What the source threw since the last call. No exception may pass through GDAL.
    void rethrow();

    const OGRSpatialReference* GetSpatialRef() const override;
#if GDAL_VERSION_NUM >= 3120000
    CPLErr GetGeoTransform(GDALGeoTransform& geotransform) const override;
#else
    CPLErr GetGeoTransform(double* coefficients) override;
#endif

    /// A window of one band. @return whether it could be read
    bool read(const Window& window, int band, float* out) noexcept;

  private:
    Grid grid_;
    OGRSpatialReference crs_;
    RasterSource* source_ = nullptr;
    ReadScratch* scratch_ = nullptr;
    std::exception_ptr error_;
};

}  // namespace rastertide
