// SPDX-License-Identifier: Apache-2.0
#include "read/source_dataset.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace rastertide {
namespace {

class SourceBandView final : public GDALRasterBand {
  public:
    SourceBandView(SourceDataset& dataset, int number, int n_cols) {
        poDS = &dataset;
        nBand = number;
        eDataType = GDT_Float32;
        nBlockXSize = n_cols;
        nBlockYSize = 1;
    }

    double GetNoDataValue(int* has_nodata) override {
        if (has_nodata != nullptr) *has_nodata = TRUE;
        return std::numeric_limits<double>::quiet_NaN();
    }

  protected:
    CPLErr IReadBlock(int, int block_row, void* out) override {
        const Window row = {0, block_row, nRasterXSize, 1};
        return dataset().read(row, nBand - 1, static_cast<float*>(out)) ? CE_None : CE_Failure;
    }

    /// The warper asks for windows as they are: the way through GDAL's blocks would read whole rows.
    CPLErr IRasterIO(GDALRWFlag direction, int col, int row, int n_cols, int n_rows, void* out, int out_cols,
                     int out_rows, GDALDataType type, GSpacing pixel_space, GSpacing line_space,
                     GDALRasterIOExtraArg* extra) override {
        const bool plain = direction == GF_Read && type == GDT_Float32 && out_cols == n_cols &&
                           out_rows == n_rows && pixel_space == sizeof(float) &&
                           line_space == static_cast<GSpacing>(sizeof(float)) * n_cols;
        if (plain) {
            const Window window = {col, row, n_cols, n_rows};
            return dataset().read(window, nBand - 1, static_cast<float*>(out)) ? CE_None : CE_Failure;
        }
        return GDALRasterBand::IRasterIO(direction, col, row, n_cols, n_rows, out, out_cols, out_rows, type,
                                         pixel_space, line_space, extra);
    }

  private:
    SourceDataset& dataset() { return static_cast<SourceDataset&>(*poDS); }
};

}  // namespace

SourceDataset::SourceDataset(const Grid& grid) : grid_(grid) {
    nRasterXSize = static_cast<int>(grid.n_cols);
    nRasterYSize = static_cast<int>(grid.n_rows);
    crs_.importFromWkt(grid.crs_wkt.c_str());
    crs_.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
}

SourceDataset::SourceDataset(const Grid& grid, RasterSource& source) : SourceDataset(grid) {
    source_ = &source;
    for (std::size_t i = 1; i <= source.info().bands.size(); ++i) {
        const auto number = static_cast<int>(i);
        SetBand(number, new SourceBandView(*this, number, nRasterXSize));  // owned by the dataset
    }
}

void SourceDataset::rethrow() {
    if (const std::exception_ptr error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
}

const OGRSpatialReference* SourceDataset::GetSpatialRef() const { return crs_.IsEmpty() ? nullptr : &crs_; }

#if GDAL_VERSION_NUM >= 3120000
CPLErr SourceDataset::GetGeoTransform(GDALGeoTransform& geotransform) const {
    for (std::size_t i = 0; i < 6; ++i) geotransform[static_cast<int>(i)] = grid_.geotransform.c[i];
    return grid_.has_geotransform ? CE_None : CE_Failure;
}
#else
CPLErr SourceDataset::GetGeoTransform(double* coefficients) {
    std::copy(grid_.geotransform.c.begin(), grid_.geotransform.c.end(), coefficients);
    return grid_.has_geotransform ? CE_None : CE_Failure;
}
#endif

bool SourceDataset::read(const Window& window, int band, float* out) noexcept {
    try {
        source_->read(window, std::span<const int>(&band, 1), out, *scratch_);
        return true;
    } catch (...) {
        if (error_ == nullptr) error_ = std::current_exception();
        return false;
    }
}

}  // namespace rastertide
