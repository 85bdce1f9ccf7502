// SPDX-License-Identifier: Apache-2.0
#include "driver/lazy_dataset.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include <cpl_string.h>

#include <rastertide/core/error.hpp>

#include "driver/lazy_band.hpp"
#include "driver/report_errors.hpp"
#include "write/product_layouts.hpp"

namespace rastertide::plugin {
namespace {

std::vector<std::string> to_strings(CSLConstList list) {
    std::vector<std::string> strings;
    for (CSLConstList item = list; item != nullptr && *item != nullptr; ++item) strings.emplace_back(*item);
    return strings;
}

/// @throws InvalidArgument  a stack by its name: there is no file that is ours
void require_file(const char* name) {
    if (!is_connection(name)) return;
    throw InvalidArgument(std::string("'") + name + "': is no file; the stack's files are left as they are");
}

void require_done(int status, const std::string& what) {
    if (status != 0) throw IoError(what + ": " + VSIStrerror(errno));
}

}  // namespace

ViewShape ReadRequest::shape() const {
    ViewShape shape{static_cast<double>(window.col),
                    static_cast<double>(window.row),
                    static_cast<double>(window.n_cols),
                    static_cast<double>(window.n_rows),
                    n_data_cols,
                    n_data_rows,
                    {}};
    if (extra != nullptr && extra->bFloatingPointWindowValidity != FALSE) {
        shape.col = extra->dfXOff;
        shape.row = extra->dfYOff;
        shape.width = extra->dfXSize;
        shape.height = extra->dfYSize;
    }
    return shape;
}

GoOn ReadRequest::go_on() const {
    if (extra == nullptr || extra->pfnProgress == nullptr) return [](double) { return true; };
    return [this](double done) { return extra->pfnProgress(done, "", extra->pProgressData) != FALSE; };
}

int LazyDataset::identify(GDALOpenInfo* info) {
    const char* bytes = info->nHeaderBytes > 0 ? reinterpret_cast<const char*>(info->pabyHeader) : "";
    return is_lazy_name(
               info->pszFilename,
               std::string(bytes, strnlen(bytes, static_cast<std::size_t>(std::max(0, info->nHeaderBytes)))))
               ? TRUE
               : FALSE;
}

GDALDataset* LazyDataset::open(GDALOpenInfo* info) {
    if (identify(info) == FALSE) return nullptr;
    std::unique_ptr<LazyDataset> dataset;
    report_errors([&] {
        if (info->eAccess == GA_Update)
            throw InvalidArgument(std::string("'") + info->pszFilename +
                                  "': is computed, not written: open it for reading");
        dataset = std::make_unique<LazyDataset>(info->pszFilename, to_strings(info->papszOpenOptions));
    });
    return dataset.release();
}

CPLErr LazyDataset::remove(const char* name) {
    return report_errors([&] {
        require_file(name);
        require_done(VSIUnlink(name), std::string("'") + name + "': cannot remove it");
    });
}

CPLErr LazyDataset::rename(const char* to, const char* from) {
    return report_errors([&] {
        require_file(from);
        require_done(VSIRename(from, to), std::string("'") + from + "': cannot rename it to '" + to + "'");
    });
}

CPLErr LazyDataset::copy_files(const char* to, const char* from) {
    return report_errors([&] {
        require_file(from);
        require_done(CPLCopyFile(to, from), std::string("'") + from + "': cannot copy it to '" + to + "'");
    });
}

LazyDataset::LazyDataset(const std::string& name, const std::vector<std::string>& open_options)
    : product_(parse_request(name, open_options)),
      full_(product_, *this),
      reduced_(product_),
      name_(name),
      open_options_(open_options) {
    const Grid& grid = product_.grid();
    constexpr std::int64_t kMostPixels = std::numeric_limits<int>::max();
    if (grid.n_cols > kMostPixels || grid.n_rows > kMostPixels)
        throw InvalidArgument("the raster is larger than GDAL's");
    nRasterXSize = static_cast<int>(grid.n_cols);
    nRasterYSize = static_cast<int>(grid.n_rows);
    eAccess = GA_ReadOnly;
    srs_.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
    if (!grid.crs_wkt.empty()) srs_.importFromWkt(grid.crs_wkt.c_str());
    describe();
    const std::size_t n_bands = product_.layout().bands.size();
    for (std::size_t i = 1; i <= n_bands; ++i)
        SetBand(static_cast<int>(i), new LazyBand(*this, static_cast<int>(i), 1));
}

void LazyDataset::describe() {
    SetDescription(name_.c_str());
    const Product& layout = product_.layout();
    for (const auto& [key, value] : layout.metadata) SetMetadataItem(key.c_str(), value.c_str());
    SetMetadataItem("AREA_OR_POINT", layout.pixel_is_point ? "Point" : "Area");
    // All bands of a place are computed at once: whoever copies the raster should ask for them together.
    if (product_.made_with(0).count > 1) SetMetadataItem("INTERLEAVE", "PIXEL", "IMAGE_STRUCTURE");
    int i = 0;
    for (const char* product : {kLofProduct, kAnomalyProduct, kCountProduct, kMaxProduct, kMaxDateProduct}) {
        if (layout.name == kLabelProduct || layout.name == product) continue;
        const std::string key = "SUBDATASET_" + std::to_string(++i);
        SetMetadataItem((key + "_NAME").c_str(), with_product(name_, open_options_, product).c_str(),
                        "SUBDATASETS");
        SetMetadataItem((key + "_DESC").c_str(), product, "SUBDATASETS");
    }
}

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 12, 0)
CPLErr LazyDataset::GetGeoTransform(GDALGeoTransform& geotransform) const {
    if (!product_.grid().has_geotransform) return CE_Failure;
    geotransform = GDALGeoTransform(product_.grid().geotransform.c.data());
    return CE_None;
}
#else
CPLErr LazyDataset::GetGeoTransform(double* geotransform) {
    if (!product_.grid().has_geotransform) return CE_Failure;
    std::copy_n(product_.grid().geotransform.c.begin(), 6, geotransform);
    return CE_None;
}
#endif

char** LazyDataset::GetFileList() {
    CPLStringList files;
    VSIStatBufL status;
    if (VSIStatExL(name_.c_str(), &status, VSI_STAT_EXISTS_FLAG) == 0) files.AddString(name_.c_str());
    for (const std::string& file : product_.files()) files.AddString(file.c_str());
    return files.StealList();
}

/// The stack may have changed.
void LazyDataset::forget() {
    full_.clear();
    reduced_.clear();
    product_.release();
}

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 7, 0)
CPLErr LazyDataset::FlushCache(bool at_closing) {
    forget();
    return GDALDataset::FlushCache(at_closing);
}
#else
void LazyDataset::FlushCache(bool at_closing) {
    forget();
    GDALDataset::FlushCache(at_closing);
}
#endif

bool LazyDataset::is_sampled(const ReadRequest& request) {
    constexpr double kFewestPerPixel = 4;  // of the raster: fewer are cheaper to compute as a window
    return request.window.n_pixels() >= kFewestPerPixel * request.n_data_cols * request.n_data_rows;
}

CPLErr LazyDataset::refuse_writing() {
    CPLError(CE_Failure, CPLE_NoWriteAccess, "Rastertide: '%s': is computed, not written", GetDescription());
    return CE_Failure;
}

CPLErr LazyDataset::IRasterIO(GDALRWFlag rw, int col, int row, int n_cols, int n_rows, void* data,
                              int n_data_cols, int n_data_rows, GDALDataType type, int n_bands,
                              BANDMAP_TYPE bands, GSpacing pixel_space, GSpacing line_space,
                              GSpacing band_space, GDALRasterIOExtraArg* extra) {
    if (rw != GF_Read) return refuse_writing();
    const ReadRequest request = {{col, row, n_cols, n_rows},
                                 n_data_cols,
                                 n_data_rows,
                                 {data, type, pixel_space, line_space, band_space},
                                 extra};
    const std::vector<int> numbers(bands, bands + n_bands);
    if (is_sampled(request))
        return report_errors(
            [&] { reduced_.read(request.shape(), numbers, request.target, request.go_on()); });
    if (request.is_whole())
        return report_errors([&] { full_.read(request.window, numbers, request.target, request.go_on()); });
    return GDALDataset::IRasterIO(rw, col, row, n_cols, n_rows, data, n_data_cols, n_data_rows, type, n_bands,
                                  bands, pixel_space, line_space, band_space, extra);
}

}  // namespace rastertide::plugin
