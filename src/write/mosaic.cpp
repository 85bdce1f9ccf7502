// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <rastertide/core/error.hpp>
#include <rastertide/write/hdf5_copy.hpp>
#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/text_file.hpp>

#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "write/gdal_types.hpp"
#include "write/temporary_folder.hpp"
#include "write/vrt_xml.hpp"

namespace rastertide {
namespace {

void add_source(CPLXMLNode* band, const ShardPlace& shard, int i_band) {
    CPLXMLNode* source = CPLCreateXMLNode(band, CXT_Element, "SimpleSource");
    add_attribute(add_element(source, "SourceFilename", shard.path), "relativeToVRT", "1");
    add_element(source, "SourceBand", std::to_string(i_band));
    add_window(source, "SrcRect", {0, 0, shard.window.n_cols, shard.window.n_rows});
    add_window(source, "DstRect", shard.window);
}

}  // namespace

void write_mosaic(const std::string& path, const Grid& grid, const Product& product,
                  const std::vector<ShardPlace>& shards) {
    write_vrt(path, make_vrt_root(grid, product_metadata(product)), static_cast<int>(product.bands.size()),
              [&](int i_band) {
                  XmlHandle band = make_vrt_band(product, i_band);
                  for (const ShardPlace& shard : shards) add_source(band.get(), shard, i_band);
                  return band;
              });
}

namespace {

DatasetHandle open_for_copy(const std::string& path, const GdalErrorCapture& errors) {
    DatasetHandle dataset(
        GDALOpenEx(path.c_str(), GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, nullptr, nullptr, nullptr));
    if (dataset == nullptr) errors.throw_error("'" + path + "': cannot open the product");
    return dataset;
}

void compute_statistics(GDALDatasetH dataset) {
    for (int i_band = 1; i_band <= GDALGetRasterCount(dataset); ++i_band) {
        double min = 0, max = 0, mean = 0, std = 0;
        // A band without any valid pixel has no statistics: that is not an error.
        GDALComputeRasterStatistics(GDALGetRasterBand(dataset, i_band), 0, &min, &max, &mean, &std, nullptr,
                                    nullptr);
    }
}

/// COG drops category names; GDAL keeps them in a sidecar if they are set on the finished file.
void copy_categories(GDALDatasetH from, const std::string& path, const GdalErrorCapture& errors) {
    char** names = GDALGetRasterCategoryNames(GDALGetRasterBand(from, 1));
    if (names == nullptr) return;
    const DatasetHandle to = open_for_copy(path, errors);
    if (GDALGetRasterCount(to.get()) == 0) return;  // netCDF shows several bands as subdatasets
    GDALRasterBandH band = GDALGetRasterBand(to.get(), 1);
    if (GDALGetRasterCategoryNames(band) == nullptr) GDALSetRasterCategoryNames(band, names);
}

void write_copy(GDALDatasetH input, const std::string& path, const std::string& format,
                const std::vector<std::string>& creation_options, const std::string& what) {
    GdalErrorCapture errors;
    StringList options(creation_options);
    DatasetHandle output(GDALCreateCopy(driver_by_name(format.c_str()), path.c_str(), input, FALSE,
                                        options.get(), nullptr, nullptr));
    if (output == nullptr) errors.throw_error(what);
    // What the format cannot hold (a colour table of many bands) was reported, too, and is no error.
    errors.clear();
    output.reset();
    errors.throw_if_failed(what);
    copy_categories(input, path, errors);
    errors.throw_if_failed(what);
}

}  // namespace

void copy_raster(const std::string& source, const std::string& path, const std::string& format,
                 const std::vector<std::string>& creation_options, bool with_statistics) {
    TemporaryFolder folder(path);
    {
        const GdalErrorCapture errors;
        const DatasetHandle input = open_for_copy(source, errors);
        if (with_statistics) compute_statistics(input.get());
        write_copy(input.get(), folder.file(), format, creation_options,
                   "'" + path + "': cannot write the product");
    }
    folder.commit();
}

void check_copy_options(const std::string& format, const std::vector<std::string>& creation_options,
                        std::int64_t n_bands) {
    const std::string what = "-of " + format;
    check_creation_options(format, creation_options);
    const DatasetHandle small(
        GDALCreate(driver_by_name("MEM"), "", 16, 16, static_cast<int>(n_bands), GDT_Float32, nullptr));
    const TemporaryFolder folder(
        (std::filesystem::temp_directory_path() / ("rastertide." + format_extension(format))).string());
    write_copy(small.get(), folder.file(), format, creation_options,
               what + ": the format cannot hold " + std::to_string(n_bands) + " bands of Float32");
}

void check_creation_options(const std::string& format, const std::vector<std::string>& creation_options) {
    for (const std::string& option : creation_options) {
        if (option.find('=') == std::string::npos) {
            throw InvalidArgument("-co '" + option + "': expected NAME=VALUE");
        }
    }
    const GdalErrorCapture errors;
    StringList options(creation_options);
    if (GDALValidateCreationOptions(driver_by_name(format.c_str()), options.get()) == FALSE) {
        throw InvalidArgument("-co: " + errors.text());
    }
}

std::string format_extension(const std::string& format) {
    if (is_hdf5_format(format)) return "h5";
    GDALDriverH driver = driver_by_name(format.c_str());
    if (GDALGetMetadataItem(driver, GDAL_DCAP_CREATECOPY, nullptr) == nullptr &&
        GDALGetMetadataItem(driver, GDAL_DCAP_CREATE, nullptr) == nullptr) {
        throw InvalidArgument("-of " + format +
                              ": GDAL cannot write this format; --formats lists those it can");
    }
    const char* extension = GDALGetMetadataItem(driver, GDAL_DMD_EXTENSION, nullptr);
    if (extension != nullptr && *extension != '\0') return extension;
    // GDAL 3.6 names none for COG, and an empty one for ENVI.
    return EQUAL(GDALGetDriverShortName(driver), "COG") ? "tif" : "bin";
}

}  // namespace rastertide
