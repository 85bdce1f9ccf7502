// SPDX-License-Identifier: Apache-2.0
// GDAL's view of a product that is computed when it is read.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <gdal_priv.h>
#include <ogr_spatialref.h>

#include "driver/lazy_product.hpp"
#include "driver/sampled_view.hpp"

namespace rastertide::plugin {

/// Values of whole blocks, the last that were computed.
struct ComputedRegion {
    Window window;
    BandRange bands;
    std::vector<float> values;  ///< [bands][window]
};

/// @param data  out: a block of `type`, block_n_cols wide, as GDAL keeps it
void copy_block(const ComputedRegion& region, std::int64_t band, const Window& block, GDALDataType type,
                int block_n_cols, void* data);

class LazyDataset final : public GDALDataset {
  public:
    LazyDataset(const std::string& name, LazyRequest request);

    static int identify(GDALOpenInfo* info);
    static GDALDataset* open(GDALOpenInfo* info);

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 12, 0)
    CPLErr GetGeoTransform(GDALGeoTransform& geotransform) const override;
#else
    CPLErr GetGeoTransform(double* geotransform) override;
#endif
    const OGRSpatialReference* GetSpatialRef() const override { return srs_.IsEmpty() ? nullptr : &srs_; }
    char** GetFileList() override;

    LazyProduct& product() { return product_; }

    /// Side of the blocks: small, as a view's edges cut blocks that are computed whole (256 x 256 pixels of
    /// 363 dates: 8.4 s with 64, 5.9 with 32, 4.6 with 16).
    static constexpr int kBlockSize = 16;
    Window block_window(int i_col, int i_row) const;

    /// The values of a block, from the last region or computed with those around it and the bands that cost
    /// nothing more.
    std::shared_ptr<const ComputedRegion> region_of(const Window& block, std::int64_t band);
    /// Computes the blocks of a window that a band's cache lacks, some at a time, for all bands at once.
    /// @throws std::runtime_error  the reader's progress function says that it is no longer wanted
    void fill_cache(const Window& window, int i_band, GDALRasterIOExtraArg* extra);
    /// A reading at half the resolution and below, of a band or more.
    CPLErr read_sampled(const ViewShape& shape, std::int64_t band, void* data, GDALDataType type,
                        GSpacing pixel_space, GSpacing line_space, GDALRasterIOExtraArg* extra);

  private:
    void describe(const std::string& name);
    std::shared_ptr<const ComputedRegion> compute(const Window& window, BandRange bands);
    void give_to_cache(const ComputedRegion& region, int i_band);
    std::vector<Window> missing_parts(const Window& window, int i_band);

    LazyProduct product_;
    OGRSpatialReference srs_;
    std::string name_;
    std::mutex mutex_;  ///< of the next
    std::shared_ptr<const ComputedRegion> region_;
    std::mutex view_mutex_;  ///< of the next
    std::unique_ptr<SampledView> view_;
};

}  // namespace rastertide::plugin
