// SPDX-License-Identifier: Apache-2.0
#include "driver/lazy_band.hpp"

#include <algorithm>

#include "driver/report_errors.hpp"

namespace rastertide::plugin {
namespace {

GDALDataType gdal_type(SampleType type) {
    switch (type) {
        case SampleType::Byte:
            return GDT_Byte;
        case SampleType::UInt16:
            return GDT_UInt16;
        default:
            return GDT_Float32;
    }
}

int divided(int size, int factor) { return (size + factor - 1) / factor; }

std::unique_ptr<GDALColorTable> make_colors(const std::vector<ColorEntry>& colors) {
    if (colors.empty()) return nullptr;
    auto table = std::make_unique<GDALColorTable>();
    for (const ColorEntry& color : colors) {
        const GDALColorEntry entry = {static_cast<short>(color.red), static_cast<short>(color.green),
                                      static_cast<short>(color.blue), static_cast<short>(color.alpha)};
        table->SetColorEntry(color.value, &entry);
    }
    return table;
}

/// Powers of two until the raster is the size of a thumbnail.
std::vector<int> overview_factors(int n_cols, int n_rows) {
    constexpr int kSmallest = 256;
    std::vector<int> factors;
    for (int factor = 2; divided(std::max(n_cols, n_rows), factor) * 2 > kSmallest && factor < (1 << 24);
         factor *= 2)
        factors.push_back(factor);
    return factors;
}

}  // namespace

LazyBand::LazyBand(LazyDataset& dataset, int i_band, int factor) : dataset_(dataset), factor_(factor) {
    const Product& layout = dataset.product().layout();
    poDS = factor == 1 ? &dataset : nullptr;
    nBand = i_band;
    eAccess = GA_ReadOnly;
    eDataType = gdal_type(layout.type);
    nRasterXSize = divided(dataset.GetRasterXSize(), factor);
    nRasterYSize = divided(dataset.GetRasterYSize(), factor);
    nBlockXSize = nBlockYSize = LazyDataset::kBlockSize;
    colors_ = make_colors(layout.colors);
    for (const std::string& name : layout.categories) categories_.AddString(name.c_str());
    if (factor != 1) return;
    const ProductBand& band = layout.bands[static_cast<std::size_t>(i_band - 1)];
    GDALRasterBand::SetDescription(band.description.c_str());
    for (const auto& [key, value] : band.metadata)
        GDALRasterBand::SetMetadataItem(key.c_str(), value.c_str());
    for (const int more : overview_factors(nRasterXSize, nRasterYSize))
        overviews_.push_back(std::make_unique<LazyBand>(dataset, i_band, more));
}

double LazyBand::GetNoDataValue(int* has_nodata) {
    if (has_nodata != nullptr) *has_nodata = TRUE;
    return dataset_.product().layout().nodata;
}

GDALColorInterp LazyBand::GetColorInterpretation() {
    return colors_ != nullptr ? GCI_PaletteIndex : GCI_Undefined;
}

GDALRasterBand* LazyBand::GetOverview(int i) {
    return i >= 0 && i < GetOverviewCount() ? overviews_[static_cast<std::size_t>(i)].get() : nullptr;
}

CPLErr LazyBand::IReadBlock(int i_col, int i_row, void* data) {
    const GSpacing size = GDALGetDataTypeSizeBytes(eDataType);
    const Window block = intersect(
        {std::int64_t{i_col} * nBlockXSize, std::int64_t{i_row} * nBlockYSize, nBlockXSize, nBlockYSize},
        {0, 0, nRasterXSize, nRasterYSize});
    const auto n_cols = static_cast<int>(block.n_cols);
    const auto n_rows = static_cast<int>(block.n_rows);
    if (factor_ != 1) {
        GDALRasterIOExtraArg extra;
        INIT_RASTERIO_EXTRA_ARG(extra);
        return IRasterIO(GF_Read, static_cast<int>(block.col), static_cast<int>(block.row), n_cols, n_rows,
                         data, n_cols, n_rows, eDataType, size, size * nBlockXSize, &extra);
    }
    return report_errors([&] {
        const std::shared_ptr<const ComputedRegion> region = dataset_.region_of(block, nBand - 1);
        copy_block(*region, nBand - 1, block, eDataType, nBlockXSize, data);
    });
}

bool LazyBand::is_sampled(int n_cols, int n_rows, int n_data_cols, int n_data_rows) const {
    if (factor_ != 1) return true;
    const bool is_small = std::int64_t{n_data_cols} * 2 <= n_cols && std::int64_t{n_data_rows} * 2 <= n_rows;
    return is_small && dataset_.product().request().budget_seconds > 0;
}

CPLErr LazyBand::IRasterIO(GDALRWFlag rw, int col, int row, int n_cols, int n_rows, void* data,
                           int n_data_cols, int n_data_rows, GDALDataType type, GSpacing pixel_space,
                           GSpacing line_space, GDALRasterIOExtraArg* extra) {
    if (rw != GF_Read) {
        CPLError(CE_Failure, CPLE_NoWriteAccess, "%s: cannot be written to", dataset_.GetDescription());
        return CE_Failure;
    }
    if (is_sampled(n_cols, n_rows, n_data_cols, n_data_rows)) {
        const BandRange bands = dataset_.product().made_with(nBand - 1);
        const ViewShape shape = {double{1} * col * factor_,
                                 double{1} * row * factor_,
                                 double{1} * n_cols * factor_,
                                 double{1} * n_rows * factor_,
                                 n_data_cols,
                                 n_data_rows,
                                 bands};
        return dataset_.read_sampled(shape, nBand - 1, data, type, pixel_space, line_space, extra);
    }
    const CPLErr status = report_errors([&] {
        dataset_.fill_cache({col, row, n_cols, n_rows}, nBand, extra);
    });
    if (status != CE_None) return status;
    return GDALRasterBand::IRasterIO(rw, col, row, n_cols, n_rows, data, n_data_cols, n_data_rows, type,
                                     pixel_space, line_space, extra);
}

}  // namespace rastertide::plugin
