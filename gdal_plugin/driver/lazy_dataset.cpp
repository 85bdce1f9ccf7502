// SPDX-License-Identifier: Apache-2.0
#include "driver/lazy_dataset.hpp"

#include <algorithm>
#include <stdexcept>

#include <cpl_string.h>

#include <rastertide/core/error.hpp>

#include "driver/lazy_band.hpp"
#include "driver/report_errors.hpp"
#include "write/product_layouts.hpp"

namespace rastertide::plugin {
namespace {

/// Side of what is computed for a reader who goes from block to block.
constexpr std::int64_t kReadSize = 64;
static_assert(kReadSize % LazyDataset::kBlockSize == 0);

std::vector<std::string> to_strings(char** list) {
    std::vector<std::string> strings;
    for (char** item = list; item != nullptr && *item != nullptr; ++item) strings.emplace_back(*item);
    return strings;
}

/// Whether whoever waits for a reading wants it to go on.
bool goes_on(const GDALRasterIOExtraArg* extra, double done) {
    return extra == nullptr || extra->pfnProgress == nullptr ||
           extra->pfnProgress(done, "", extra->pProgressData) != FALSE;
}

}  // namespace

void copy_block(const ComputedRegion& region, std::int64_t band, const Window& block, GDALDataType type,
                int block_n_cols, void* data) {
    const int size = GDALGetDataTypeSizeBytes(type);
    const Window& all = region.window;
    const float* from = region.values.data() + (band - region.bands.first) * all.n_pixels() +
                        (block.row - all.row) * all.n_cols + (block.col - all.col);
    auto* to = static_cast<GByte*>(data);
    for (std::int64_t row = 0; row < block.n_rows; ++row) {
        GDALCopyWords64(from, GDT_Float32, sizeof(float), to, type, size, block.n_cols);
        from += all.n_cols;
        to += std::int64_t{block_n_cols} * size;
    }
}

int LazyDataset::identify(GDALOpenInfo* info) {
    const char* bytes = info->nHeaderBytes > 0 ? reinterpret_cast<const char*>(info->pabyHeader) : "";
    return is_lazy_name(info->pszFilename, std::string(bytes, strnlen(bytes, 1024))) ? TRUE : FALSE;
}

GDALDataset* LazyDataset::open(GDALOpenInfo* info) {
    if (identify(info) == FALSE) return nullptr;
    std::unique_ptr<LazyDataset> dataset;
    report_errors([&] {
        if (info->eAccess == GA_Update)
            throw InvalidArgument(std::string("'") + info->pszFilename +
                                  "': is computed, not written: open it for reading");
        dataset = std::make_unique<LazyDataset>(
            info->pszFilename, parse_request(info->pszFilename, to_strings(info->papszOpenOptions)));
    });
    return dataset.release();
}

LazyDataset::LazyDataset(const std::string& name, LazyRequest request)
    : product_(std::move(request)), name_(name) {
    const Grid& grid = product_.grid();
    constexpr std::int64_t kMostPixels = std::numeric_limits<int>::max();
    if (grid.n_cols > kMostPixels || grid.n_rows > kMostPixels)
        throw InvalidArgument("the raster is larger than GDAL's");
    nRasterXSize = static_cast<int>(grid.n_cols);
    nRasterYSize = static_cast<int>(grid.n_rows);
    eAccess = GA_ReadOnly;
    srs_.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
    if (!grid.crs_wkt.empty()) srs_.importFromWkt(grid.crs_wkt.c_str());
    describe(name);
    const std::size_t n_bands = product_.layout().bands.size();
    for (std::size_t i = 1; i <= n_bands; ++i)
        SetBand(static_cast<int>(i), new LazyBand(*this, static_cast<int>(i), 1));
}

void LazyDataset::describe(const std::string& name) {
    SetDescription(name.c_str());
    const Product& layout = product_.layout();
    for (const auto& [key, value] : layout.metadata) SetMetadataItem(key.c_str(), value.c_str());
    SetMetadataItem("AREA_OR_POINT", layout.pixel_is_point ? "Point" : "Area");
    // All bands of a place are computed at once: whoever copies the raster should ask for them together.
    if (product_.made_with(0).count > 1) SetMetadataItem("INTERLEAVE", "PIXEL", "IMAGE_STRUCTURE");
    int i = 0;
    for (const char* product : {kLofProduct, kAnomalyProduct, kCountProduct, kMaxProduct, kMaxDateProduct}) {
        if (layout.name == kLabelProduct || layout.name == product) continue;
        const std::string key = "SUBDATASET_" + std::to_string(++i);
        SetMetadataItem((key + "_NAME").c_str(), with_product(name, product).c_str(), "SUBDATASETS");
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

Window LazyDataset::block_window(int i_col, int i_row) const {
    return intersect(
        {std::int64_t{i_col} * kBlockSize, std::int64_t{i_row} * kBlockSize, kBlockSize, kBlockSize},
        product_.grid().extent());
}

std::shared_ptr<const ComputedRegion> LazyDataset::compute(const Window& window, BandRange bands) {
    auto region = std::make_shared<ComputedRegion>();
    region->window = window;
    region->bands = bands;
    region->values.resize(static_cast<std::size_t>(window.n_pixels() * bands.count));
    product_.compute(window, bands, region->values.data());
    const std::lock_guard lock(mutex_);
    region_ = region;
    return region;
}

std::shared_ptr<const ComputedRegion> LazyDataset::region_of(const Window& block, std::int64_t band) {
    {
        const std::lock_guard lock(mutex_);
        if (region_ != nullptr && region_->bands.contains(band) && intersect(region_->window, block) == block)
            return region_;
    }
    const Window around = intersect(
        {block.col - block.col % kReadSize, block.row - block.row % kReadSize, kReadSize, kReadSize},
        product_.grid().extent());
    const std::shared_ptr<const ComputedRegion> region = compute(around, product_.made_with(band));
    give_to_cache(*region, static_cast<int>(band + 1));
    return region;
}

/// The other bands' blocks, too, unless they would push each other out.
void LazyDataset::give_to_cache(const ComputedRegion& region, int i_band) {
    const Window& window = region.window;
    const GDALDataType type = GetRasterBand(i_band)->GetRasterDataType();
    const std::int64_t bytes = window.n_pixels() * region.bands.count * GDALGetDataTypeSizeBytes(type);
    const bool all = bytes <= GDALGetCacheMax64() / 2;
    const std::int64_t first = all ? region.bands.first : i_band - 1;
    const std::int64_t last = all ? region.bands.first + region.bands.count : i_band;
    for (std::int64_t band = first; band < last; ++band) {
        GDALRasterBand* target = GetRasterBand(static_cast<int>(band + 1));
        for (std::int64_t row = window.row; row < window.end_row(); row += kBlockSize) {
            for (std::int64_t col = window.col; col < window.end_col(); col += kBlockSize) {
                const auto i_col = static_cast<int>(col / kBlockSize);
                const auto i_row = static_cast<int>(row / kBlockSize);
                // A block that is there may be in use; one that is being read now is its reader's to fill.
                if (GDALRasterBlock* held = target->TryGetLockedBlockRef(i_col, i_row)) {
                    held->DropLock();
                    continue;
                }
                GDALRasterBlock* block = target->GetLockedBlockRef(i_col, i_row, TRUE);
                if (block == nullptr) return;  // no memory: they are computed when they are asked for
                copy_block(region, band, block_window(i_col, i_row), type, kBlockSize, block->GetDataRef());
                block->DropLock();
            }
        }
    }
}

/// Rows of blocks that lack one, each from the first to the last that is missing; the next row is joined if
/// it lacks the same columns.
std::vector<Window> LazyDataset::missing_parts(const Window& window, int i_band) {
    GDALRasterBand* band = GetRasterBand(i_band);
    const auto first_col = static_cast<int>(window.col / kBlockSize);
    const auto last_col = static_cast<int>((window.end_col() - 1) / kBlockSize);
    const std::int64_t bytes_per_location = product_.bytes_per_location(product_.made_with(i_band - 1));
    const std::int64_t most_pixels =
        std::max<std::int64_t>(kBlockSize * kBlockSize, product_.request().memory_bytes / bytes_per_location);
    const std::int64_t most_cols =
        std::max<std::int64_t>(1, most_pixels / (kBlockSize * kBlockSize)) * kBlockSize;
    std::vector<Window> parts;
    for (auto row = static_cast<int>(window.row / kBlockSize); row <= (window.end_row() - 1) / kBlockSize;
         ++row) {
        int first = last_col + 1;
        int last = first_col - 1;
        for (int col = first_col; col <= last_col; ++col) {
            GDALRasterBlock* block = band->TryGetLockedBlockRef(col, row);
            if (block != nullptr) {
                block->DropLock();
                continue;
            }
            first = std::min(first, col);
            last = std::max(last, col);
        }
        if (last < first) continue;
        const Window left = block_window(first, row);
        const Window right = block_window(last, row);
        for (std::int64_t col = left.col; col < right.end_col(); col += most_cols) {
            const Window part = {col, left.row, std::min(most_cols, right.end_col() - col), left.n_rows};
            Window* above = parts.empty() ? nullptr : &parts.back();
            const bool joins = above != nullptr && above->col == part.col && above->n_cols == part.n_cols &&
                               above->end_row() == part.row &&
                               above->n_pixels() + part.n_pixels() <= most_pixels;
            if (joins) {
                above->n_rows += part.n_rows;
            } else {
                parts.push_back(part);
            }
        }
    }
    return parts;
}

void LazyDataset::fill_cache(const Window& window, int i_band, GDALRasterIOExtraArg* extra) {
    const BandRange bands = product_.made_with(i_band - 1);
    const std::vector<Window> parts = missing_parts(window, i_band);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        {
            const std::lock_guard lock(mutex_);
            if (region_ != nullptr && region_->bands.contains(i_band - 1) &&
                intersect(region_->window, parts[i]) == parts[i])
                continue;
        }
        give_to_cache(*compute(parts[i], bands), i_band);
        if (!goes_on(extra, static_cast<double>(i + 1) / static_cast<double>(parts.size() + 1)))
            throw std::runtime_error("the reading was cancelled");
    }
}

CPLErr LazyDataset::read_sampled(const ViewShape& shape, std::int64_t band, void* data, GDALDataType type,
                                 GSpacing pixel_space, GSpacing line_space, GDALRasterIOExtraArg* extra) {
    return report_errors([&] {
        const std::lock_guard lock(view_mutex_);
        if (view_ == nullptr || !(view_->shape() == shape))
            view_ = std::make_unique<SampledView>(product_, shape);
        const double budget = product_.request().budget_seconds;
        const auto deadline =
            budget > 0 ? SampledView::Clock::now() + std::chrono::duration_cast<SampledView::Clock::duration>(
                                                         std::chrono::duration<double>(budget))
                       : SampledView::Clock::time_point::max();
        bool cancelled = false;
        view_->refine(deadline, [&] {
            cancelled = !goes_on(
                extra, static_cast<double>(view_->n_computed()) / static_cast<double>(view_->n_pixels() + 1));
            return !cancelled;
        });
        if (cancelled) throw std::runtime_error("the reading was cancelled");
        if (!view_->complete()) {
            CPLDebug("RASTERTIDE", "%lld of %lld locations were computed in %g s",
                     static_cast<long long>(view_->n_computed()), static_cast<long long>(view_->n_pixels()),
                     budget);
        }
        std::vector<float> line(static_cast<std::size_t>(shape.n_cols));
        for (std::int64_t row = 0; row < shape.n_rows; ++row) {
            for (std::int64_t col = 0; col < shape.n_cols; ++col)
                line[static_cast<std::size_t>(col)] = view_->value(band - shape.bands.first, row, col);
            GDALCopyWords64(line.data(), GDT_Float32, sizeof(float),
                            static_cast<GByte*>(data) + row * line_space, type, static_cast<int>(pixel_space),
                            shape.n_cols);
        }
    });
}

}  // namespace rastertide::plugin
