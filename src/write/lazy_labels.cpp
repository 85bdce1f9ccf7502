// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <numeric>

#include <rastertide/core/error.hpp>
#include <rastertide/write/lazy_labels.hpp>

#include "write/lazy_pixels.hpp"
#include "write/vrt_xml.hpp"

namespace rastertide {
namespace {

void check_features(const LazyLabels& labels) {
    if (labels.scale != PixelScale::Linear) {
        throw InvalidArgument("lazy labels: the scale is " + to_string(labels.scale) +
                              ", expected linear: GDAL can correlate the pixels as they are, not their "
                              "logarithm");
    }
    if (labels.time_features) {
        throw InvalidArgument(
            "lazy labels: the features are those of a pixel over time, expected patches of one date");
    }
}

void check_sizes(const Grid& grid, const Product& product, const LazyLabels& labels) {
    labels.centers.validate();
    const int p = labels.centers.patch_size;
    if (grid.n_cols < p || grid.n_rows < p) {
        throw InvalidArgument("lazy labels: the raster has " + std::to_string(grid.n_cols) + " x " +
                              std::to_string(grid.n_rows) + " pixels, expected a patch of " +
                              std::to_string(p) + " x " + std::to_string(p) + " at least");
    }
    if (product.bands.size() != labels.dates.size()) {
        throw InvalidArgument("lazy labels: " + std::to_string(product.bands.size()) + " bands for " +
                              std::to_string(labels.dates.size()) + " dates");
    }
    for (const std::vector<LazyBand>& date : labels.dates) {
        if (static_cast<std::int64_t>(date.size()) == labels.centers.n_bands) continue;
        throw InvalidArgument("lazy labels: a date of " + std::to_string(date.size()) +
                              " bands, centres of " + std::to_string(labels.centers.n_bands));
    }
    const bool fits = product.type == SampleType::UInt16 ||
                      (product.type == SampleType::Byte && labels.centers.n_clusters <= 255);
    if (!fits || product.nodata != 0) {
        throw InvalidArgument("lazy labels: " + std::to_string(labels.centers.n_clusters) +
                              " clusters need labels of Byte (255 at most) or UInt16, nodata 0");
    }
}

/// A level for each band near all of its pixels: the mean of its part of the centres.
std::vector<double> levels_of(const PatchCenters& centers) {
    const std::int64_t n_pixels = centers.patch_size * centers.patch_size;
    std::vector<double> levels(static_cast<std::size_t>(centers.n_bands), 0);
    for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
        const double* value = centers.center(k);
        for (double& level : levels) {
            level += std::accumulate(value, value + n_pixels, 0.0);
            value += n_pixels;
        }
    }
    for (double& level : levels) level /= static_cast<double>(centers.n_clusters * n_pixels);
    return levels;
}

PatchCenters relative_to(const std::vector<double>& levels, PatchCenters centers) {
    const std::int64_t n_pixels = centers.patch_size * centers.patch_size;
    double* value = centers.values.data();
    for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
        for (const double level : levels) {
            for (std::int64_t i = 0; i < n_pixels; ++i) *value++ -= level;
        }
    }
    return centers;
}

/// Centres 2, 3, ... less centre 1: scores relative to that of label 1 spare one correlation of K.
std::vector<double> less_the_first(const PatchCenters& centers) {
    std::vector<double> values;
    for (std::int64_t k = 1; k < centers.n_clusters; ++k) {
        for (std::int64_t i = 0; i < centers.n_features(); ++i) {
            values.push_back(centers.center(k)[i] - centers.center(0)[i]);
        }
    }
    return values;
}

double half_norm(const PatchCenters& centers, std::int64_t k) {
    const double* center = centers.center(k);
    return std::inner_product(center, center + centers.n_features(), center, 0.0) / 2;
}

/// The VRTs beside the one that users open, the one that it reads first.
constexpr const char* kFull = "_full";
constexpr const char* kComputed = "_computed";
constexpr const char* kPixels = "_pixels";

/// "a/labels_lazy.vrt" -> "a/labels_lazy_pixels.vrt"
std::string part_path(const std::string& path, const char* part) {
    const std::filesystem::path file(path);
    return (file.parent_path() / (file.stem().string() + part + ".vrt")).string();
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

/// The parts of a lazy VRT that all its bands share, made once.
struct LazyText {
    std::string pixels_file;
    Window inner;  ///< the locations: all but the rim
    int patch_size = 0;
    std::int64_t n_bands = 0;
    /// The coefficients that count. One row of them would do for GDAL, which takes it for a separable kernel,
    /// but GDAL 3.6 reads beyond it when it copies the VRT.
    std::string ones;
    std::vector<std::string> kernels;  ///< [cluster - 1][band]
    std::vector<std::string> half_norms;
};

std::string coefficients(const double* values, std::int64_t n) {
    std::string text;
    for (std::int64_t i = 0; i < n; ++i) text += (i == 0 ? "" : " ") + xml_number(values[i]);
    return text;
}

LazyText make_text(const std::string& path, const Grid& grid, const PatchCenters& centers) {
    LazyText text;
    text.pixels_file = file_name(part_path(path, kPixels));
    text.inner = grid.extent().padded(-(centers.patch_size / 2));
    text.patch_size = centers.patch_size;
    text.n_bands = centers.n_bands;
    const std::int64_t n_pixels = centers.patch_size * centers.patch_size;
    const std::vector<double> ones(static_cast<std::size_t>(n_pixels), 1);
    text.ones = coefficients(ones.data(), n_pixels);
    const std::vector<double> relative = less_the_first(centers);
    for (std::int64_t i = 0; i < (centers.n_clusters - 1) * centers.n_bands; ++i) {
        text.kernels.push_back(coefficients(relative.data() + i * n_pixels, n_pixels));
    }
    for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
        text.half_norms.push_back(xml_number(half_norm(centers, k)));
    }
    return text;
}

/// GDAL correlates (it does not turn the kernel round) and reads the pixels around SrcRect, so that the
/// coefficients are those of the centre, row by row.
void add_filtered(CPLXMLNode* band, const LazyText& text, std::int64_t source_band,
                  const std::string& kernel) {
    CPLXMLNode* source = CPLCreateXMLNode(band, CXT_Element, "KernelFilteredSource");
    add_attribute(add_element(source, "SourceFilename", text.pixels_file), "relativeToVRT", "1");
    add_element(source, "SourceBand", std::to_string(source_band));
    add_window(source, "SrcRect", text.inner);
    add_window(source, "DstRect", text.inner);
    CPLXMLNode* filter = CPLCreateXMLNode(source, CXT_Element, "Kernel");
    add_attribute(filter, "normalized", "0");
    add_element(filter, "Size", std::to_string(text.patch_size));
    add_element(filter, "Coefs", kernel);
}

std::string patch_pixels(const LazyText& text) { return std::to_string(text.patch_size * text.patch_size); }

void add_plugin_function(CPLXMLNode* band, const LazyText& text) {
    std::string norms;
    for (const std::string& norm : text.half_norms) norms += (norms.empty() ? "" : ",") + norm;
    add_element(band, "PixelFunctionType", "rastertide_kmeans_label");
    CPLXMLNode* arguments = CPLCreateXMLNode(band, CXT_Element, "PixelFunctionArguments");
    add_attribute(arguments, "bands", std::to_string(text.n_bands));
    add_attribute(arguments, "patch_pixels", patch_pixels(text));
    add_attribute(arguments, "half_norms", norms);
}

/// What label k + 1 scores, in the names that GDAL gives to sources: B1 is the count.
std::string score(const LazyText& text, std::size_t k) {
    std::string sum;
    const auto n_bands = static_cast<std::size_t>(text.n_bands);
    for (std::size_t band = 0; k > 0 && band < n_bands; ++band) {
        sum += (band == 0 ? "B" : "+B") + std::to_string(2 + (k - 1) * n_bands + band);
    }
    return sum + "-(" + text.half_norms[k] + ")";
}

/// The first label whose score is the highest. B1 has served when it takes that score: no other variable can
/// be had, and without one each comparison would have to look for the maximum again.
std::string label_expression(const LazyText& text) {
    const std::size_t n_labels = text.half_norms.size();
    std::string highest;
    for (std::size_t k = 0; k < n_labels; ++k) highest += (k == 0 ? "" : ",") + score(text, k);
    std::string label = "(B1=max(" + highest + "))<=" + score(text, 0) + "?1:";
    for (std::size_t k = 1; k < n_labels; ++k) {
        label += "B1<=" + score(text, k) + "?" + std::to_string(k + 1) + ":";
    }
    return "B1==" + patch_pixels(text) + "?(" + label + "0):0";
}

void add_expression(CPLXMLNode* band, const LazyText& text) {
    add_element(band, "PixelFunctionType", "expression");
    CPLXMLNode* arguments = CPLCreateXMLNode(band, CXT_Element, "PixelFunctionArguments");
    add_attribute(arguments, "dialect", "muparser");
    add_attribute(arguments, "expression", label_expression(text));
}

/// It must not declare nodata: see make_full_band().
XmlHandle make_computed_band(const Product& product, int i_band, LazyDialect dialect, const LazyText& text) {
    XmlHandle root = make_bare_vrt_band(product.type, i_band);
    CPLXMLNode* band = root.get();
    add_attribute(band, "subClass", "VRTDerivedRasterBand");
    if (dialect == LazyDialect::Plugin) {
        add_plugin_function(band, text);
    } else {
        add_expression(band, text);
    }
    add_element(band, "SourceTransferType", "Float32");
    const LazyPixelBands pixels(text.n_bands, i_band - 1);
    add_filtered(band, text, pixels.valid(), text.ones);
    for (std::size_t i = 0; i < text.kernels.size(); ++i) {
        add_filtered(band, text, pixels.values(static_cast<std::int64_t>(i) % text.n_bands), text.kernels[i]);
    }
    return root;
}

CPLXMLNode* add_simple(CPLXMLNode* band, const std::string& file, int i_band) {
    CPLXMLNode* source = CPLCreateXMLNode(band, CXT_Element, "SimpleSource");
    add_attribute(add_element(source, "SourceFilename", file), "relativeToVRT", "1");
    add_element(source, "SourceBand", std::to_string(i_band));
    return source;
}

/// A band with nodata over a source without: asked for another resolution and another resampling than the
/// nearest, GDAL then reads the source as it is and resamples what it got. It would pass the request on
/// otherwise, to sources that do not filter unless at full resolution.
XmlHandle make_full_band(const Product& product, int i_band, const std::string& computed) {
    XmlHandle band = make_bare_vrt_band(product.type, i_band);
    add_element(band.get(), "NoDataValue", xml_number(product.nodata));
    add_simple(band.get(), computed, i_band);
    return band;
}

/// The mode is asked for here, whatever the reader asks for: labels have no mean.
XmlHandle make_label_band(const Product& product, int i_band, const std::string& full) {
    XmlHandle band = make_vrt_band(product, i_band);
    add_attribute(add_simple(band.get(), full, i_band), "resampling", "mode");
    return band;
}

/// Powers of two until the raster is the size of a tile.
void add_overviews(CPLXMLNode* root, const Grid& grid) {
    constexpr std::int64_t kSmallest = 256;
    std::string factors;
    for (std::int64_t factor = 2; std::max(grid.n_cols, grid.n_rows) * 2 > kSmallest * factor; factor *= 2) {
        factors += (factors.empty() ? "" : " ") + std::to_string(factor);
    }
    if (factors.empty()) return;
    add_attribute(add_element(root, "OverviewList", factors), "resampling", "mode");
}

}  // namespace

std::vector<std::string> lazy_label_parts(const std::string& path) {
    return {part_path(path, kFull), part_path(path, kComputed), part_path(path, kPixels)};
}

void write_lazy_labels(const std::string& path, const Grid& grid, const Product& product,
                       const LazyLabels& labels) {
    check_features(labels);
    check_sizes(grid, product, labels);
    const std::vector<double> levels = levels_of(labels.centers);
    const LazyText text = make_text(path, grid, relative_to(levels, labels.centers));
    const auto n_bands = static_cast<int>(product.bands.size());
    const XmlHandle plain_root = make_vrt_root(grid, {});

    write_lazy_pixels(part_path(path, kPixels), grid, labels.dates, levels);
    const std::string computed = part_path(path, kComputed);
    write_vrt(computed, plain_root, n_bands,
              [&](int i_band) { return make_computed_band(product, i_band, labels.dialect, text); });
    const std::string full = part_path(path, kFull);
    write_vrt(full, plain_root, n_bands,
              [&](int i_band) { return make_full_band(product, i_band, file_name(computed)); });
    const XmlHandle root = make_vrt_root(grid, product_metadata(product));
    add_overviews(root.get(), grid);
    write_vrt(path, root, n_bands,
              [&](int i_band) { return make_label_band(product, i_band, file_name(full)); });
}

}  // namespace rastertide
