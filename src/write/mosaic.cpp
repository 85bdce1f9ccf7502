// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <filesystem>

#include <rastertide/core/error.hpp>
#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/text_file.hpp>

#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "write/gdal_types.hpp"
#include "write/temporary_folder.hpp"
#include "write/text_writer.hpp"

namespace rastertide {
namespace {

std::string number(double value) {
    if (std::isnan(value)) return "nan";
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.17g", value);
    return text.data();
}

void add_attribute(CPLXMLNode* node, const char* name, const std::string& value) {
    CPLAddXMLAttributeAndValue(node, name, value.c_str());
}

void add_metadata(CPLXMLNode* parent, const MetadataItems& items) {
    if (items.empty()) return;
    CPLXMLNode* metadata = CPLCreateXMLNode(parent, CXT_Element, "Metadata");
    for (const auto& [key, value] : items) {
        add_attribute(CPLCreateXMLElementAndValue(metadata, "MDI", value.c_str()), "key", key);
    }
}

void add_window(CPLXMLNode* source, const char* name, const Window& window) {
    CPLXMLNode* rectangle = CPLCreateXMLNode(source, CXT_Element, name);
    add_attribute(rectangle, "xOff", std::to_string(window.col));
    add_attribute(rectangle, "yOff", std::to_string(window.row));
    add_attribute(rectangle, "xSize", std::to_string(window.n_cols));
    add_attribute(rectangle, "ySize", std::to_string(window.n_rows));
}

void add_legend(CPLXMLNode* band, const Product& product) {
    if (!product.categories.empty()) {
        CPLXMLNode* names = CPLCreateXMLNode(band, CXT_Element, "CategoryNames");
        for (const std::string& category : product.categories) {
            CPLCreateXMLElementAndValue(names, "Category", category.c_str());
        }
    }
    if (product.colors.empty()) return;
    CPLXMLNode* table = CPLCreateXMLNode(band, CXT_Element, "ColorTable");
    for (int value = 0; value <= product.colors.back().value; ++value) {
        ColorEntry entry{value, 0, 0, 0, 0};
        for (const ColorEntry& color : product.colors) {
            if (color.value == value) entry = color;
        }
        CPLXMLNode* node = CPLCreateXMLNode(table, CXT_Element, "Entry");
        add_attribute(node, "c1", std::to_string(entry.red));
        add_attribute(node, "c2", std::to_string(entry.green));
        add_attribute(node, "c3", std::to_string(entry.blue));
        add_attribute(node, "c4", std::to_string(entry.alpha));
    }
}

void add_source(CPLXMLNode* band, const ShardPlace& shard, int i_band) {
    CPLXMLNode* source = CPLCreateXMLNode(band, CXT_Element, "SimpleSource");
    add_attribute(CPLCreateXMLElementAndValue(source, "SourceFilename", shard.path.c_str()), "relativeToVRT",
                  "1");
    CPLCreateXMLElementAndValue(source, "SourceBand", std::to_string(i_band).c_str());
    add_window(source, "SrcRect", {0, 0, shard.window.n_cols, shard.window.n_rows});
    add_window(source, "DstRect", shard.window);
}

XmlHandle make_band(const Product& product, int i_band, const std::vector<ShardPlace>& shards) {
    const ProductBand& band = product.bands[static_cast<std::size_t>(i_band - 1)];
    XmlHandle root(CPLCreateXMLNode(nullptr, CXT_Element, "VRTRasterBand"));
    CPLXMLNode* node = root.get();
    add_attribute(node, "dataType", GDALGetDataTypeName(gdal_type(product.type)));
    add_attribute(node, "band", std::to_string(i_band));
    add_metadata(node, band.metadata);
    CPLCreateXMLElementAndValue(node, "Description", band.description.c_str());
    CPLCreateXMLElementAndValue(node, "NoDataValue", number(product.nodata).c_str());
    CPLCreateXMLElementAndValue(node, "ColorInterp", product.colors.empty() ? "Gray" : "Palette");
    add_legend(node, product);
    for (const ShardPlace& shard : shards) add_source(node, shard, i_band);
    return root;
}

std::string text_of(const XmlHandle& node) {
    const std::unique_ptr<char, decltype(&VSIFree)> text(CPLSerializeXMLTree(node.get()), &VSIFree);
    return text.get();
}

void add_georeference(CPLXMLNode* root, const Grid& grid) {
    // Without a dataAxisToSRSAxisMapping GDAL takes coordinates as x, y: so they are.
    if (!grid.crs_wkt.empty()) CPLCreateXMLElementAndValue(root, "SRS", grid.crs_wkt.c_str());
    if (!grid.has_geotransform) return;
    std::string text;
    for (const double coefficient : grid.geotransform.c)
        text += (text.empty() ? "" : ", ") + number(coefficient);
    CPLCreateXMLElementAndValue(root, "GeoTransform", text.c_str());
}

}  // namespace

void write_mosaic(const std::string& path, const Grid& grid, const Product& product,
                  const std::vector<ShardPlace>& shards) {
    const XmlHandle root(CPLCreateXMLNode(nullptr, CXT_Element, "VRTDataset"));
    add_attribute(root.get(), "rasterXSize", std::to_string(grid.n_cols));
    add_attribute(root.get(), "rasterYSize", std::to_string(grid.n_rows));
    add_georeference(root.get(), grid);
    MetadataItems metadata = product.metadata;
    metadata.emplace_back("AREA_OR_POINT", product.pixel_is_point ? "Point" : "Area");
    add_metadata(root.get(), metadata);
    const std::string text = text_of(root);
    const std::size_t end = text.rfind("</VRTDataset>");

    // Band by band: the tree of hundreds of dates over hundreds of tiles takes gigabytes.
    TextWriter file(path);
    file.write(text.substr(0, end));
    for (int i_band = 1; i_band <= static_cast<int>(product.bands.size()); ++i_band) {
        file.write(text_of(make_band(product, i_band, shards)));
    }
    file.write(text.substr(end));
    file.close();
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
