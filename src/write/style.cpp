// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <memory>

#include <rastertide/write/style.hpp>

#include "read/gdal_handles.hpp"

namespace rastertide {
namespace {

std::string color_text(const ColorEntry& color) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "#%02x%02x%02x", color.red & 255, color.green & 255,
                  color.blue & 255);
    return text.data();
}

std::string number(double value) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.10g", value);
    return text.data();
}

void set(CPLXMLNode* node, const char* name, const std::string& value) {
    CPLAddXMLAttributeAndValue(node, name, value.c_str());
}

void add_item(CPLXMLNode* parent, const char* element, const StyleClass& entry) {
    CPLXMLNode* item = CPLCreateXMLNode(parent, CXT_Element, element);
    set(item, "value", number(entry.value));
    set(item, "color", color_text(entry.color));
    set(item, "alpha", std::to_string(entry.color.alpha));
    set(item, "label", entry.label);
}

struct Style {
    XmlHandle root;
    CPLXMLNode* renderer = nullptr;

    explicit Style(const char* renderer_type) : root(CPLCreateXMLNode(nullptr, CXT_Element, "qgis")) {
        set(root.get(), "version", "3.22");  // the oldest QGIS that the styles were read by
        renderer = CPLCreateXMLNode(CPLCreateXMLNode(root.get(), CXT_Element, "pipe"), CXT_Element,
                                    "rasterrenderer");
        set(renderer, "type", renderer_type);
        set(renderer, "opacity", "1");
    }

    std::string text() const {
        const std::unique_ptr<char, decltype(&VSIFree)> xml(CPLSerializeXMLTree(root.get()), &VSIFree);
        return std::string("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n") + xml.get();
    }
};

}  // namespace

std::string pseudocolor_style(int i_band, const std::vector<StyleClass>& classes) {
    const Style style("singlebandpseudocolor");
    set(style.renderer, "band", std::to_string(i_band));
    set(style.renderer, "classificationMin", number(classes.front().value));
    set(style.renderer, "classificationMax", number(classes.back().value));
    CPLXMLNode* shader = CPLCreateXMLNode(CPLCreateXMLNode(style.renderer, CXT_Element, "rastershader"),
                                          CXT_Element, "colorrampshader");
    set(shader, "colorRampType", "INTERPOLATED");
    set(shader, "classificationMode", "1");
    set(shader, "clip", "0");
    for (const StyleClass& entry : classes) add_item(shader, "item", entry);
    return style.text();
}

std::string paletted_style(int i_band, const std::vector<StyleClass>& classes) {
    const Style style("paletted");
    set(style.renderer, "band", std::to_string(i_band));
    CPLXMLNode* palette = CPLCreateXMLNode(style.renderer, CXT_Element, "colorPalette");
    for (const StyleClass& entry : classes) add_item(palette, "paletteEntry", entry);
    return style.text();
}

}  // namespace rastertide
