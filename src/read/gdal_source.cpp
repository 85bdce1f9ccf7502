// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>

#include <rastertide/core/error.hpp>

#include "read/cf_time.hpp"
#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "read/gdal_subdataset.hpp"
#include "read/source.hpp"
#include "read/valid_value.hpp"
#include "read/value_range.hpp"

namespace rastertide {
namespace {

std::string item(GDALMajorObjectH object, const char* name, const char* domain = nullptr) {
    const char* value = GDALGetMetadataItem(object, name, domain);
    return value != nullptr ? value : "";
}

/// What of a band decides how its pixels are read.
struct BandReader {
    int number = 0;  ///< GDAL's, from 1
    bool fits_float = true;
    bool has_mask = false;  ///< GDAL's mask band must be read too
    int alpha_number = 0;   ///< an alpha band that GDAL does not take for the mask; 0 = none
    ValidValue valid{std::nullopt, 1, 0};
};

bool fits_float(GDALDataType type) {
    return type == GDT_Byte || type == GDT_UInt16 || type == GDT_Int16 || type == GDT_Float32;
}

/// A window in whole rows whose values of so many bands fit the scratch.
std::vector<Window> pieces_of(const Window& window, std::size_t n_bands) {
    const std::int64_t row_bytes =
        window.n_cols * static_cast<std::int64_t>(n_bands) * std::int64_t{sizeof(double)};
    const std::int64_t most_rows = std::max<std::int64_t>(1, ReadScratch::kPieceBytes / row_bytes);
    std::vector<Window> pieces;
    for (std::int64_t row = window.row; row < window.end_row(); row += most_rows) {
        pieces.push_back({window.col, row, window.n_cols, std::min(most_rows, window.end_row() - row)});
    }
    return pieces;
}

float* pixels_at(const Window& window, const Window& piece, float* band) {
    return band + (piece.row - window.row) * window.n_cols;
}

class GdalSource final : public RasterSource {
  public:
    GdalSource(const std::string& name, const SourceOptions& options)
        : name_(name), gdal_name_(name), options_(options) {
        open();
        choose_dataset();
        describe();
    }

    const SourceInfo& info() const override { return info_; }

    void read(const Window& window, std::span<const int> bands, float* out, ReadScratch& scratch) override {
        if (dataset_ == nullptr) open();
        for (std::size_t first = 0; first < bands.size();) {
            const Group group = group_of(bands.subspan(first));
            read_group(window, group, out, scratch);
            out += static_cast<std::int64_t>(group.size()) * window.n_pixels();
            first += group.size();
        }
    }

    std::vector<std::string> files() override {
        if (dataset_ == nullptr) open();
        const GdalErrorCapture quiet;
        const CPLStringList list(GDALGetFileList(dataset_.get()));
        return {list.List(), list.List() + list.Count()};
    }

    void release() override { dataset_.reset(); }

  private:
    using Group = std::vector<const BandReader*>;

    void open() {
        const GdalErrorCapture errors;
        StringList options(options_.open_options);
        dataset_.reset(GDALOpenEx(gdal_name_.c_str(), GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, nullptr,
                                  options.get(), nullptr));
        if (dataset_ == nullptr) errors.throw_error("'" + name_ + "': cannot open it as a raster");
    }

    void choose_dataset() {
        if (options_.dataset.empty()) return;
        const std::string chosen = name_of_subdataset(dataset_.get(), name_, options_.dataset);
        if (chosen.empty()) return;
        gdal_name_ = chosen;
        open();
    }

    void describe() {
        const GdalErrorCapture errors;
        GDALDatasetH dataset = dataset_.get();
        info_.name = name_;
        info_.format = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
        info_.grid.n_cols = GDALGetRasterXSize(dataset);
        info_.grid.n_rows = GDALGetRasterYSize(dataset);
        info_.grid.crs_wkt = GDALGetProjectionRef(dataset);
        std::array<double, 6> coefficients{};
        info_.grid.has_geotransform = GDALGetGeoTransform(dataset, coefficients.data()) == CE_None;
        if (info_.grid.has_geotransform) info_.grid.geotransform.c = coefficients;
        info_.has_ground_control_points = GDALGetGCPCount(dataset) > 0;
        info_.acquisition = parse_date(item(dataset, "ACQUISITIONDATETIME", "IMAGERY"));
        info_.pixel_is_point = item(dataset, "AREA_OR_POINT") == "Point";
        alpha_number_ = find_alpha_band();
        pixel_interleaved_ = item(dataset, "INTERLEAVE", "IMAGE_STRUCTURE") == "PIXEL";
        for (int number = 1; number <= GDALGetRasterCount(dataset); ++number) describe_band(number);
        if (info_.bands.empty()) {
            throw InvalidArgument("'" + name_ + "': has no raster band" + subdataset_hint());
        }
    }

    /// 0 if there is none.
    int find_alpha_band() const {
        for (int number = 1; number <= GDALGetRasterCount(dataset_.get()); ++number) {
            GDALRasterBandH band = GDALGetRasterBand(dataset_.get(), number);
            if (GDALGetRasterColorInterpretation(band) == GCI_AlphaBand) return number;
        }
        return 0;
    }

    std::string subdataset_hint() const {
        const std::vector<std::string> names = subdatasets_of(dataset_.get());
        return names.empty() ? "" : "; it has subdatasets, such as " + names.front();
    }

    void describe_band(int number) {
        GDALRasterBandH band = GDALGetRasterBand(dataset_.get(), number);
        if (GDALGetRasterColorInterpretation(band) == GCI_AlphaBand) return;  // it is the others' mask
        const GDALDataType type = GDALGetRasterDataType(band);
        if (GDALDataTypeIsComplex(type) != 0) {
            throw InvalidArgument("'" + name_ + "', band " + std::to_string(number) + ": complex type " +
                                  GDALGetDataTypeName(type) +
                                  ", expected a real one; DERIVED_SUBDATASET:AMPLITUDE:" + name_ +
                                  " gives its amplitude");
        }
        if (info_.bands.empty()) describe_storage(band, type);
        info_.bands.push_back(describe_date(band));
        info_.bands.back().gdal = describe_access(number, band);
        readers_.push_back(make_reader(type, band, info_.bands.back().gdal));
    }

    void describe_storage(GDALRasterBandH band, GDALDataType type) {
        int block_n_cols = 0;
        int block_n_rows = 0;
        GDALGetBlockSize(band, &block_n_cols, &block_n_rows);
        info_.block_n_cols = std::min<std::int64_t>(block_n_cols, info_.grid.n_cols);
        info_.block_n_rows = std::min<std::int64_t>(block_n_rows, info_.grid.n_rows);
        info_.data_type = GDALGetDataTypeName(type);
        int has_nodata = 0;
        const double nodata = GDALGetRasterNoDataValue(band, &has_nodata);
        if (has_nodata != 0) info_.nodata = nodata;
        if (options_.srcnodata) info_.nodata = options_.srcnodata;
    }

    SourceBand describe_date(GDALRasterBandH band) const {
        SourceBand result{GDALGetDescription(band), std::nullopt, "", {}};
        const auto take = [&](std::optional<Date> date, const char* source) {
            if (!result.date && date) {
                result.date = date;
                result.date_source = source;
            }
        };
        const CfDate cf_time = cf_time_of_band(dataset_.get(), band);
        result.date_problem = cf_time.problem;
        take(cf_time.date, kCfTime);
        take(parse_date(item(band, "DATE")), "band item DATE");
        take(date_from_filename(result.description), "band description");
        return result;
    }

    GdalBand describe_access(int number, GDALRasterBandH band) const {
        GdalBand access{gdal_name_, number, options_.srcnodata, false, 1, 0};
        int has_nodata = 0;
        const double declared = GDALGetRasterNoDataValue(band, &has_nodata);
        if (!access.nodata && has_nodata != 0) access.nodata = declared;
        access.has_mask = (GDALGetMaskFlags(band) & (GMF_ALL_VALID | GMF_NODATA)) == 0;
        access.scale = GDALGetRasterScale(band, nullptr);
        access.offset = GDALGetRasterOffset(band, nullptr);
        // GDAL alone does not look at the alpha band that make_reader() does, nor knows the open options.
        if (separate_alpha(band) != 0 || !options_.open_options.empty()) access.dataset.clear();
        return access;
    }

    /// GDAL takes an alpha band for the mask only where it is Byte or UInt16.
    int separate_alpha(GDALRasterBandH band) const {
        return (GDALGetMaskFlags(band) & GMF_ALPHA) == 0 ? alpha_number_ : 0;
    }

    BandReader make_reader(GDALDataType type, GDALRasterBandH band, const GdalBand& access) const {
        return {access.band, fits_float(type), access.has_mask, separate_alpha(band),
                ValidValue(access.nodata, access.scale, access.offset)};
    }

    /// Bands that one call reads. Where a block holds all bands, reading them one by one decodes it anew for
    /// each, unless the block cache holds the window; wide values pass through the scratch, a few at a time.
    Group group_of(std::span<const int> bands) const {
        constexpr std::size_t kMostWideBands = 8;
        const bool fits = readers_[static_cast<std::size_t>(bands.front())].fits_float;
        const std::size_t most =
            !pixel_interleaved_ ? 1 : std::min(fits ? bands.size() : kMostWideBands, bands_in_cache());
        Group group;
        for (const int band : bands) {
            const BandReader& reader = readers_[static_cast<std::size_t>(band)];
            if (group.size() == most || reader.fits_float != fits) break;
            group.push_back(&reader);
        }
        return group;
    }

    /// Bands whose blocks GDAL may hold at once, as it does for one call: more would exceed its cache.
    std::size_t bands_in_cache() const {
        int n_cols = 0;
        int n_rows = 0;
        GDALRasterBandH band = GDALGetRasterBand(dataset_.get(), readers_.front().number);
        GDALGetBlockSize(band, &n_cols, &n_rows);
        const GIntBig block_bytes =
            GIntBig{n_cols} * n_rows * GDALGetDataTypeSizeBytes(GDALGetRasterDataType(band));
        return static_cast<std::size_t>(
            std::max<GIntBig>(1, GDALGetCacheMax64() / 2 / std::max<GIntBig>(1, block_bytes)));
    }

    void read_group(const Window& window, const Group& group, float* out, ReadScratch& scratch) const {
        if (group.front()->fits_float) {
            transfer_bands(window, group, GDT_Float32, out);
            for (std::size_t i = 0; i < group.size(); ++i) {
                float* band = out + static_cast<std::int64_t>(i) * window.n_pixels();
                std::transform(band, band + window.n_pixels(), band, group[i]->valid);
            }
        } else {
            for (const Window& piece : pieces_of(window, group.size())) {
                read_wide(window, piece, group, out, scratch);
            }
        }
        for (const Window& piece : pieces_of(window, 1)) apply_masks(window, piece, group, out, scratch);
        for (std::size_t i = 0; i < group.size(); ++i) {  // what lies under a mask may be of any size
            const float* band = out + static_cast<std::int64_t>(i) * window.n_pixels();
            require_in_range({band, static_cast<std::size_t>(window.n_pixels())}, name_of(group[i]->number));
        }
    }

    void read_wide(const Window& window, const Window& piece, const Group& group, float* out,
                   ReadScratch& scratch) const {
        double* values = scratch.values(static_cast<std::int64_t>(group.size()) * piece.n_pixels());
        transfer_bands(piece, group, GDT_Float64, values);
        for (const BandReader* reader : group) {
            std::transform(values, values + piece.n_pixels(), pixels_at(window, piece, out), reader->valid);
            values += piece.n_pixels();
            out += window.n_pixels();
        }
    }

    /// Zero means invalid. Read as Float32: Byte would round an alpha of 0.4 to 0.
    void apply_masks(const Window& window, const Window& piece, const Group& group, float* out,
                     ReadScratch& scratch) const {
        float* mask = scratch.mask(piece.n_pixels());
        GDALRasterBandH held = nullptr;  // bands often share one mask
        for (const BandReader* reader : group) {
            float* pixels = pixels_at(window, piece, out);
            for (GDALRasterBandH band : masks_of(*reader)) {
                if (band != held) transfer(band, piece, reader->number, mask);
                held = band;
                for (std::int64_t i = 0; i < piece.n_pixels(); ++i) {
                    if (!(mask[i] > 0)) pixels[i] = std::numeric_limits<float>::quiet_NaN();
                }
            }
            out += window.n_pixels();
        }
    }

    std::vector<GDALRasterBandH> masks_of(const BandReader& reader) const {
        std::vector<GDALRasterBandH> masks;
        if (reader.has_mask)
            masks.push_back(GDALGetMaskBand(GDALGetRasterBand(dataset_.get(), reader.number)));
        if (reader.alpha_number > 0) masks.push_back(GDALGetRasterBand(dataset_.get(), reader.alpha_number));
        return masks;
    }

    void transfer_bands(const Window& window, const Group& group, GDALDataType type, void* out) const {
        const GdalErrorCapture errors;
        std::vector<int> numbers;
        for (const BandReader* reader : group) numbers.push_back(reader->number);
        const auto n_cols = static_cast<int>(window.n_cols);
        const auto n_rows = static_cast<int>(window.n_rows);
        const CPLErr status =
            GDALDatasetRasterIOEx(dataset_.get(), GF_Read, static_cast<int>(window.col),
                                  static_cast<int>(window.row), n_cols, n_rows, out, n_cols, n_rows, type,
                                  static_cast<int>(numbers.size()), numbers.data(), 0, 0, 0, nullptr);
        if (status != CE_None) errors.throw_error(place_of(window, numbers.front()) + ": cannot read");
    }

    void transfer(GDALRasterBandH band, const Window& window, int number, float* out) const {
        const GdalErrorCapture errors;
        const auto n_cols = static_cast<int>(window.n_cols);
        const auto n_rows = static_cast<int>(window.n_rows);
        const CPLErr status =
            GDALRasterIOEx(band, GF_Read, static_cast<int>(window.col), static_cast<int>(window.row), n_cols,
                           n_rows, out, n_cols, n_rows, GDT_Float32, 0, 0, nullptr);
        if (status != CE_None) errors.throw_error(place_of(window, number) + ": cannot read the mask");
    }

    std::string name_of(int number) const { return "'" + name_ + "', band " + std::to_string(number); }

    std::string place_of(const Window& window, int number) const {
        return name_of(number) + ", window " + std::to_string(window.col) + " " + std::to_string(window.row) +
               " " + std::to_string(window.n_cols) + " x " + std::to_string(window.n_rows);
    }

    std::string name_;       ///< the user's
    std::string gdal_name_;  ///< of the subdataset that -dataset means, if it means one
    SourceOptions options_;
    DatasetHandle dataset_;
    SourceInfo info_;
    std::vector<BandReader> readers_;  // one per info_.bands
    int alpha_number_ = 0;
    bool pixel_interleaved_ = false;
};

}  // namespace

std::unique_ptr<RasterSource> open_gdal_source(const std::string& name, const SourceOptions& options) {
    return std::make_unique<GdalSource>(name, options);
}

}  // namespace rastertide
