// SPDX-License-Identifier: Apache-2.0
#include "write/vrt_xml.hpp"

#include <array>
#include <cmath>
#include <memory>

#include "write/gdal_types.hpp"
#include "write/text_writer.hpp"

namespace rastertide {
namespace {

void add_legend(CPLXMLNode* band, const Product& product) {
    if (!product.categories.empty()) {
        CPLXMLNode* names = CPLCreateXMLNode(band, CXT_Element, "CategoryNames");
        for (const std::string& category : product.categories) add_element(names, "Category", category);
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

std::string text_of(const XmlHandle& node) {
    const std::unique_ptr<char, decltype(&VSIFree)> text(CPLSerializeXMLTree(node.get()), &VSIFree);
    return text.get();
}

void add_georeference(CPLXMLNode* root, const Grid& grid) {
    // Without a dataAxisToSRSAxisMapping GDAL takes coordinates as x, y: so they are.
    if (!grid.crs_wkt.empty()) add_element(root, "SRS", grid.crs_wkt);
    if (!grid.has_geotransform) return;
    std::string text;
    for (const double coefficient : grid.geotransform.c) {
        text += (text.empty() ? "" : ", ") + xml_number(coefficient);
    }
    add_element(root, "GeoTransform", text);
}

}  // namespace

std::string xml_number(double value) {
    if (std::isnan(value)) return "nan";
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.17g", value);
    return text.data();
}

void add_attribute(CPLXMLNode* node, const char* name, const std::string& value) {
    CPLAddXMLAttributeAndValue(node, name, value.c_str());
}

CPLXMLNode* add_element(CPLXMLNode* parent, const char* name, const std::string& text) {
    return CPLCreateXMLElementAndValue(parent, name, text.c_str());
}

void add_metadata(CPLXMLNode* parent, const MetadataItems& items) {
    if (items.empty()) return;
    CPLXMLNode* metadata = CPLCreateXMLNode(parent, CXT_Element, "Metadata");
    for (const auto& [key, value] : items) {
        add_attribute(add_element(metadata, "MDI", value), "key", key);
    }
}

void add_window(CPLXMLNode* source, const char* name, const Window& window) {
    CPLXMLNode* rectangle = CPLCreateXMLNode(source, CXT_Element, name);
    add_attribute(rectangle, "xOff", std::to_string(window.col));
    add_attribute(rectangle, "yOff", std::to_string(window.row));
    add_attribute(rectangle, "xSize", std::to_string(window.n_cols));
    add_attribute(rectangle, "ySize", std::to_string(window.n_rows));
}

MetadataItems product_metadata(const Product& product) {
    MetadataItems metadata = product.metadata;
    metadata.emplace_back("AREA_OR_POINT", product.pixel_is_point ? "Point" : "Area");
    return metadata;
}

XmlHandle make_vrt_root(const Grid& grid, const MetadataItems& metadata) {
    XmlHandle root(CPLCreateXMLNode(nullptr, CXT_Element, "VRTDataset"));
    add_attribute(root.get(), "rasterXSize", std::to_string(grid.n_cols));
    add_attribute(root.get(), "rasterYSize", std::to_string(grid.n_rows));
    add_georeference(root.get(), grid);
    add_metadata(root.get(), metadata);
    return root;
}

XmlHandle make_bare_vrt_band(SampleType type, int i_band) {
    XmlHandle band(CPLCreateXMLNode(nullptr, CXT_Element, "VRTRasterBand"));
    add_attribute(band.get(), "dataType", GDALGetDataTypeName(gdal_type(type)));
    add_attribute(band.get(), "band", std::to_string(i_band));
    return band;
}

XmlHandle make_vrt_band(const Product& product, int i_band) {
    const ProductBand& band = product.bands[static_cast<std::size_t>(i_band - 1)];
    XmlHandle root = make_bare_vrt_band(product.type, i_band);
    CPLXMLNode* node = root.get();
    add_metadata(node, band.metadata);
    add_element(node, "Description", band.description);
    add_element(node, "NoDataValue", xml_number(product.nodata));
    add_element(node, "ColorInterp", product.colors.empty() ? "Gray" : "Palette");
    add_legend(node, product);
    return root;
}

void write_vrt(const std::string& path, const XmlHandle& root, int n_bands,
               const std::function<XmlHandle(int)>& make_band) {
    const std::string text = text_of(root);
    const std::size_t end = text.rfind("</VRTDataset>");
    TextWriter file(path);
    file.write(text.substr(0, end));
    for (int i_band = 1; i_band <= n_bands; ++i_band) file.write(text_of(make_band(i_band)));
    file.write(text.substr(end));
    file.close();
}

}  // namespace rastertide
