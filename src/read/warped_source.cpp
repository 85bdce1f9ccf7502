// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <type_traits>
#include <vector>

#include <gdalwarper.h>

#include <rastertide/core/error.hpp>

#include "core/rounding.hpp"
#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "read/place_source.hpp"
#include "read/resampling.hpp"
#include "read/source_dataset.hpp"

namespace rastertide {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
// Pixels are warped by whole blocks of the target grid: GDAL and PROJ look at all points of a request when
// they choose an operation between two CRS, so that a window of the caller's would decide about pixels.
constexpr std::int64_t kBlock = 64;

struct OptionsDestroyer {
    void operator()(GDALWarpOptions* options) const { GDALDestroyWarpOptions(options); }
};
using WarpOptions = std::unique_ptr<GDALWarpOptions, OptionsDestroyer>;

/// The pixels that a source may have a say in, a margin for its curved edges included.
Window footprint(const Extent& covered, const Grid& target) {
    constexpr double kMargin = 16;
    const double margin =
        kMargin + std::max(covered.xmax - covered.xmin, covered.ymax - covered.ymin) / kMargin;
    const auto pixel = [](double value, std::int64_t most) {
        return static_cast<std::int64_t>(std::clamp(value, 0.0, static_cast<double>(most)));
    };
    const std::int64_t col = pixel(std::floor(covered.xmin - margin), target.n_cols);
    const std::int64_t row = pixel(std::floor(covered.ymin - margin), target.n_rows);
    return {col, row, pixel(std::ceil(covered.xmax + margin), target.n_cols) - col,
            pixel(std::ceil(covered.ymax + margin), target.n_rows) - row};
}

class WarpedSource final : public RasterSource {
  public:
    WarpedSource(std::unique_ptr<RasterSource> source, const Grid& grid, const Grid& target,
                 const std::string& resampling, std::shared_ptr<SharedTransformer> transformer)
        : source_(std::move(source)),
          info_(source_->info()),
          dataset_(grid, *source_),
          resampling_(parse_resampling(resampling)),
          transformer_(std::move(transformer)),
          footprint_(footprint(transformer_->covered(), target)) {
        set_scale(grid);
        info_.grid = target;
        info_.block_n_cols = std::min(kBlock, target.n_cols);
        info_.block_n_rows = std::min(kBlock, target.n_rows);
        for (SourceBand& band : info_.bands) band.gdal.dataset.clear();
    }

    const SourceInfo& info() const override { return info_; }
    std::vector<std::string> files() override { return source_->files(); }
    void release() override { source_->release(); }

    void read(const Window& window, std::span<const int> bands, float* out, ReadScratch& scratch) override {
        std::fill_n(out, static_cast<std::int64_t>(bands.size()) * window.n_pixels(), kNan);
        dataset_.use(scratch);
        const Window wanted = intersect(window, footprint_);
        if (wanted.empty()) return;
        while (!bands.empty()) {
            const auto group = bands.first(std::min(bands.size(), most_bands()));
            read_group(window, wanted, group, out);
            out += static_cast<std::int64_t>(group.size()) * window.n_pixels();
            bands = bands.subspan(group.size());
        }
    }

  private:
    /// They share the transformation of a block, and the memory for the pixels that it is made from.
    std::size_t most_bands() const {
        constexpr double kMostBands = 16;
        constexpr double kMostPixels = 8 << 20;
        const double n_cols = static_cast<double>(block_cols()) / x_scale_;
        const double n_rows = static_cast<double>(block_rows()) / y_scale_;
        return static_cast<std::size_t>(std::clamp(kMostPixels / (n_cols * n_rows), 1.0, kMostBands));
    }

    /// One scale for the whole raster. GDAL would take one for each block from its shape here and there.
    void set_scale(const Grid& grid) {
        const Extent& covered = transformer_->covered();
        x_scale_ = (covered.xmax - covered.xmin) / static_cast<double>(grid.n_cols);
        y_scale_ = (covered.ymax - covered.ymin) / static_cast<double>(grid.n_rows);
        require_columns(covered.xmax - covered.xmin);
    }

    /// See source_extra(): no extra pixels help where the whole source is that narrow.
    void require_columns(double n_cols) const {
        constexpr double kFewest = 5;
        if (resampling_ < GRA_Average || n_cols >= kFewest) return;
        throw InvalidArgument(
            "'" + info_.name + "': spans " + CPLSPrintf("%.3g", n_cols) +
            " columns of the grid, expected 5 at least for this -r; use near or bilinear, or "
            "smaller pixels (-tr)");
    }

    void read_group(const Window& window, const Window& wanted, std::span<const int> bands, float* out) {
        const WarpOptions options = make_options(bands);
        const GdalErrorCapture errors;
        GDALWarpOperationH operation = GDALCreateWarpOperation(options.get());
        if (operation == nullptr) errors.throw_error("'" + info_.name + "': cannot be warped");
        const std::unique_ptr<void, void (*)(void*)> owner(operation, GDALDestroyWarpOperation);
        const std::int64_t first_row = round_down(wanted.row, block_rows());
        const std::int64_t first_col = round_down(wanted.col, block_cols());
        for (std::int64_t row = first_row; row < wanted.end_row(); row += block_rows()) {
            for (std::int64_t col = first_col; col < wanted.end_col(); col += block_cols()) {
                const Window block = intersect({col, row, block_cols(), block_rows()}, info_.grid.extent());
                warp_block(operation, block, bands.size());
                copy_block(block, window, bands.size(), out);
            }
        }
    }

    /// Smaller on a coarser grid, where each pixel is made from many.
    static std::int64_t block_size(double scale) {
        return std::clamp<std::int64_t>(static_cast<std::int64_t>(kBlock * scale), 8, kBlock);
    }
    std::int64_t block_cols() const { return block_size(x_scale_); }
    std::int64_t block_rows() const { return block_size(y_scale_); }

    /// Source pixels around those of a block. GDAL (3.6) takes a source of which a block sees few columns for
    /// one that goes around the globe, and mixes up its first and last ones.
    int source_extra() const {
        constexpr double kTargetPixels = 6;
        constexpr double kMost = 1 << 20;
        return static_cast<int>(std::min(kMost, std::ceil(kTargetPixels / std::min(x_scale_, y_scale_))) + 8);
    }

    WarpOptions make_options(std::span<const int> bands) {
        WarpOptions options(GDALCreateWarpOptions());
        options->eResampleAlg = resampling_;
        options->eWorkingDataType = GDT_Float32;
        options->hSrcDS = GDALDataset::ToHandle(&dataset_);
        GDALWarpInitDefaultBandMapping(options.get(), static_cast<int>(bands.size()));
        for (std::size_t i = 0; i < bands.size(); ++i) options->panSrcBands[i] = bands[i] + 1;
        GDALWarpInitNoDataReal(options.get(), std::numeric_limits<double>::quiet_NaN());
        options->pfnTransformer = SharedTransformer::transform;  // exact: no approximation around it
        options->pTransformerArg = transformer_.get();
        const auto set = [&](const char* name, const std::string& value) {
            options->papszWarpOptions = CSLSetNameValue(options->papszWarpOptions, name, value.c_str());
        };
        set("INIT_DEST", "NO_DATA");
        set("UNIFIED_SRC_NODATA", "NO");  // each band has its own valid pixels
        set("SOURCE_EXTRA", std::to_string(source_extra()));
        set("XSCALE", CPLSPrintf("%.17g", x_scale_));
        set("YSCALE", CPLSPrintf("%.17g", y_scale_));
        return options;
    }

    void warp_block(GDALWarpOperationH operation, const Window& block, std::size_t n_bands) {
        const GdalErrorCapture errors;
        block_.assign(n_bands * static_cast<std::size_t>(block.n_pixels()), kNan);
        const CPLErr status =
            GDALWarpRegionToBuffer(operation, static_cast<int>(block.col), static_cast<int>(block.row),
                                   static_cast<int>(block.n_cols), static_cast<int>(block.n_rows),
                                   block_.data(), GDT_Float32, 0, 0, 0, 0);
        dataset_.rethrow();
        if (status != CE_None) errors.throw_error("'" + info_.name + "': cannot be warped");
    }

    void copy_block(const Window& block, const Window& window, std::size_t n_bands, float* out) const {
        const Window common = intersect(block, window);
        if (common.empty()) return;
        for (std::size_t band = 0; band < n_bands; ++band) {
            const float* from = block_.data() + static_cast<std::int64_t>(band) * block.n_pixels();
            float* to = out + static_cast<std::int64_t>(band) * window.n_pixels();
            for (std::int64_t row = common.row; row < common.end_row(); ++row) {
                std::copy_n(from + (row - block.row) * block.n_cols + common.col - block.col, common.n_cols,
                            to + (row - window.row) * window.n_cols + common.col - window.col);
            }
        }
    }

    std::unique_ptr<RasterSource> source_;
    SourceInfo info_;
    SourceDataset dataset_;
    GDALResampleAlg resampling_;
    std::shared_ptr<SharedTransformer> transformer_;
    Window footprint_;
    double x_scale_ = 1;
    double y_scale_ = 1;
    std::vector<float> block_;
};

}  // namespace

std::unique_ptr<RasterSource> make_warped_source(std::unique_ptr<RasterSource> source, const Grid& grid,
                                                 const Grid& target, const std::string& resampling,
                                                 std::shared_ptr<SharedTransformer> transformer) {
    return std::make_unique<WarpedSource>(std::move(source), grid, target, resampling,
                                          std::move(transformer));
}

}  // namespace rastertide
