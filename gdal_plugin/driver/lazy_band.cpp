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
    nBlockXSize = nBlockYSize = FullResolution::kBlockSize;
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
        extent());
    const ReadTarget target = {data, eDataType, size, size * nBlockXSize, 0};
    if (factor_ == 1) return report_errors([&] { dataset_.full().read_block(block, nBand, target); });
    return read_overview(
        block, {block, static_cast<int>(block.n_cols), static_cast<int>(block.n_rows), target, nullptr});
}

/// A small overview is sampled as a whole, once for all its bands and parts.
CPLErr LazyBand::read_overview(const Window& window, const ReadRequest& request) {
    return report_errors([&] {
        const auto factor = static_cast<double>(factor_);
        if (request.is_whole() && dataset_.reduced().keeps(extent().n_pixels())) {
            const ViewShape whole = {
                0, 0, nRasterXSize * factor, nRasterYSize * factor, nRasterXSize, nRasterYSize, {}};
            return dataset_.reduced().read_part(whole, window, nBand, request.target, request.go_on());
        }
        ViewShape shape = request.shape();
        for (double* size : {&shape.col, &shape.row, &shape.width, &shape.height}) *size *= factor;
        dataset_.reduced().read(shape, {nBand}, request.target, request.go_on());
    });
}

CPLErr LazyBand::IRasterIO(GDALRWFlag rw, int col, int row, int n_cols, int n_rows, void* data,
                           int n_data_cols, int n_data_rows, GDALDataType type, GSpacing pixel_space,
                           GSpacing line_space, GDALRasterIOExtraArg* extra) {
    if (rw != GF_Read) return dataset_.refuse_writing();
    const ReadRequest request = {{col, row, n_cols, n_rows},
                                 n_data_cols,
                                 n_data_rows,
                                 {data, type, pixel_space, line_space, 0},
                                 extra};
    if (factor_ != 1) return read_overview(request.window, request);
    if (LazyDataset::is_sampled(request))
        return report_errors(
            [&] { dataset_.reduced().read(request.shape(), {nBand}, request.target, request.go_on()); });
    if (request.is_whole())
        return report_errors(
            [&] { dataset_.full().read(request.window, {nBand}, request.target, request.go_on()); });
    const CPLErr status =
        report_errors([&] { dataset_.full().prepare(request.window, nBand, request.go_on()); });
    if (status != CE_None) return status;
    hides_overviews_ = true;
    const CPLErr resampled = GDALRasterBand::IRasterIO(rw, col, row, n_cols, n_rows, data, n_data_cols,
                                                       n_data_rows, type, pixel_space, line_space, extra);
    hides_overviews_ = false;
    return resampled;
}

}  // namespace rastertide::plugin
