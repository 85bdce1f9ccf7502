// SPDX-License-Identifier: Apache-2.0
#include "write/lazy_pixels.hpp"

#include "write/vrt_xml.hpp"

namespace rastertide {
namespace {

CPLXMLNode* add_pixels(CPLXMLNode* parent, const LazyBand& band, const Grid& grid,
                       const std::string& band_name) {
    CPLXMLNode* source = CPLCreateXMLNode(parent, CXT_Element, "ComplexSource");
    add_attribute(add_element(source, "SourceFilename", band.dataset), "relativeToVRT",
                  band.relative_to_vrt ? "1" : "0");
    add_element(source, "SourceBand", band_name);
    add_window(source, "SrcRect", {band.col, band.row, grid.n_cols, grid.n_rows});
    add_window(source, "DstRect", grid.extent());
    return source;
}

/// Pixels that are nodata are skipped: what lies there before is 0.
CPLXMLNode* add_scaled(CPLXMLNode* parent, const LazyBand& band, const Grid& grid, double scale,
                       double offset) {
    CPLXMLNode* source = add_pixels(parent, band, grid, std::to_string(band.band));
    add_element(source, "ScaleOffset", xml_number(offset));
    add_element(source, "ScaleRatio", xml_number(scale));
    if (band.nodata) add_element(source, "NODATA", xml_number(*band.nodata));
    return source;
}

/// Whether nodata and GDAL's mask must be read by a source each: one source that has both looks at nodata.
bool needs_two(const LazyBand& band) { return band.nodata.has_value() && band.has_mask; }

/// 0 * value + 1: 1 where the value is finite, NaN where it is not; skipped where it is nodata or masked.
void add_validity(CPLXMLNode* parent, const LazyBand& band, const Grid& grid) {
    CPLXMLNode* source = add_scaled(parent, band, grid, 0, 1);
    // Without nodata and mask GDAL would write ones and not read: it would not see a NaN.
    if (!band.nodata) add_element(source, "UseMaskBand", "true");
    if (!needs_two(band)) return;
    CPLXMLNode* mask = add_pixels(parent, band, grid, "mask," + std::to_string(band.band));
    add_element(mask, "LUT", "0:0,1:1");  // an alpha band is valid where it is not 0
}

XmlHandle make_values_band(int number, const LazyBand& band, const Grid& grid, double level) {
    XmlHandle node = make_bare_vrt_band(SampleType::Float32, number);
    add_scaled(node.get(), band, grid, band.scale, band.offset - level);
    return node;
}

/// The product of all that can make a pixel invalid.
XmlHandle make_valid_band(int number, const std::vector<LazyBand>& date, const Grid& grid) {
    XmlHandle node = make_bare_vrt_band(SampleType::Float32, number);
    // GDAL's product takes two factors at least.
    if (date.size() > 1 || needs_two(date.front())) {
        add_attribute(node.get(), "subClass", "VRTDerivedRasterBand");
        add_element(node.get(), "PixelFunctionType", "mul");
        add_element(node.get(), "SourceTransferType", "Float32");
    }
    for (const LazyBand& band : date) add_validity(node.get(), band, grid);
    return node;
}

}  // namespace

void write_lazy_pixels(const std::string& path, const Grid& grid,
                       const std::vector<std::vector<LazyBand>>& dates, const std::vector<double>& levels) {
    const auto n_bands = static_cast<std::int64_t>(levels.size());
    const auto n_dates = static_cast<std::int64_t>(dates.size());
    write_vrt(path, make_vrt_root(grid, {}), static_cast<int>(n_dates * (n_bands + 1)), [&](int number) {
        const std::int64_t i_date = (number - 1) / (n_bands + 1);
        const std::int64_t i_band = (number - 1) % (n_bands + 1);
        const std::vector<LazyBand>& date = dates[static_cast<std::size_t>(i_date)];
        if (i_band == n_bands) return make_valid_band(number, date, grid);
        const auto i = static_cast<std::size_t>(i_band);
        return make_values_band(number, date[i], grid, levels[i]);
    });
}

}  // namespace rastertide
