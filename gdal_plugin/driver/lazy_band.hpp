// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include <cpl_string.h>
#include <gdal_priv.h>

#include "driver/lazy_dataset.hpp"

namespace rastertide::plugin {

/// A band in full resolution, or an overview of one.
class LazyBand final : public GDALRasterBand {
  public:
    /// @param factor  1: in full resolution
    LazyBand(LazyDataset& dataset, int i_band, int factor);

    CPLErr IReadBlock(int i_col, int i_row, void* data) override;
    CPLErr IRasterIO(GDALRWFlag rw, int col, int row, int n_cols, int n_rows, void* data, int n_data_cols,
                     int n_data_rows, GDALDataType type, GSpacing pixel_space, GSpacing line_space,
                     GDALRasterIOExtraArg* extra) override;
    double GetNoDataValue(int* has_nodata) override;
    GDALColorInterp GetColorInterpretation() override;
    GDALColorTable* GetColorTable() override { return colors_.get(); }
    char** GetCategoryNames() override { return categories_.List(); }
    int GetOverviewCount() override { return hides_overviews_ ? 0 : static_cast<int>(overviews_.size()); }
    GDALRasterBand* GetOverview(int i) override;

  private:
    CPLErr read_overview(const Window& window, const ReadRequest& request);
    Window extent() const { return {0, 0, nRasterXSize, nRasterYSize}; }

    LazyDataset& dataset_;
    int factor_;
    std::unique_ptr<GDALColorTable> colors_;  ///< null: none
    CPLStringList categories_;
    std::vector<std::unique_ptr<LazyBand>> overviews_;
    bool hides_overviews_ = false;  ///< while GDAL resamples: it must not take them for the pixels
};

}  // namespace rastertide::plugin
