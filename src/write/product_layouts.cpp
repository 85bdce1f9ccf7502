// SPDX-License-Identifier: Apache-2.0
#include "write/product_layouts.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <rastertide/compute/anomaly.hpp>
#include <rastertide/core/version.hpp>

#include "core/number_text.hpp"
#include "write/product_bands.hpp"

namespace rastertide {
namespace {

std::vector<ProductBand> date_bands(const DateTexts& dates) {
    std::vector<ProductBand> bands;
    for (std::size_t i = 0; i < dates.size(); ++i) {
        bands.push_back(date_band(dates[i], static_cast<std::int64_t>(i), {}));
    }
    return bands;
}

Product make_layout(const char* name, SampleType type, double nodata, std::vector<ProductBand> bands) {
    Product product;
    product.name = name;
    product.type = type;
    product.nodata = nodata;
    product.bands = std::move(bands);
    return product;
}

/// Clusters are in the order of their means: colours run from dark to light (a few of viridis).
ColorEntry cluster_color(std::int64_t cluster, std::int64_t n_clusters) {
    static constexpr std::array<std::array<double, 3>, 5> kStops = {
        {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}}};
    const double at = n_clusters == 1 ? 0
                                      : static_cast<double>(cluster) / static_cast<double>(n_clusters - 1) *
                                            static_cast<double>(kStops.size() - 1);
    const std::size_t stop = std::min(static_cast<std::size_t>(at), kStops.size() - 2);
    const double part = at - static_cast<double>(stop);
    const auto mixed = [&](std::size_t i) {
        return static_cast<int>(std::lround((1 - part) * kStops[stop][i] + part * kStops[stop + 1][i]));
    };
    return {static_cast<int>(cluster + 1), mixed(0), mixed(1), mixed(2), 255};
}

void add_legend(Product& product, std::int64_t n_clusters) {
    product.categories = {"nodata"};
    product.colors = {{0, 0, 0, 0, 0}};
    for (std::int64_t cluster = 0; cluster < n_clusters; ++cluster) {
        product.categories.push_back("cluster " + std::to_string(cluster + 1));
        product.colors.push_back(cluster_color(cluster, n_clusters));
    }
}

}  // namespace

DateTexts date_texts(const RasterSeries& series) {
    DateTexts dates;
    for (const SceneInfo& scene : series.scenes()) dates.push_back(scene.date ? scene.date->iso() : "");
    return dates;
}

Product lof_layout(SampleType type, double nodata, const DateTexts& dates) {
    return make_layout(kLofProduct, type, nodata, date_bands(dates));
}

Product anomaly_layout(const DateTexts& dates) {
    Product product = make_layout(kAnomalyProduct, SampleType::Byte, kMaskNodata, date_bands(dates));
    product.categories = {"normal", "anomalous"};
    product.colors = {{0, 245, 245, 245, 255}, {1, 178, 24, 43, 255}};
    return product;
}

Product anomaly_count_layout() {
    return make_layout(kCountProduct, SampleType::UInt16, kCountNodata, {{"anomalous dates", {}}});
}

Product lof_max_layout(SampleType type, double nodata) {
    return make_layout(kMaxProduct, type, nodata, {{"highest LOF", {}}});
}

Product lof_max_date_layout(const DateTexts& dates) {
    Product product =
        make_layout(kMaxDateProduct, SampleType::UInt16, kDateNodata, {{"date of the highest LOF", {}}});
    product.categories.push_back("nodata");
    for (std::size_t i = 0; i < dates.size(); ++i) {
        product.categories.push_back(date_label(dates[i], static_cast<std::int64_t>(i)));
    }
    return product;
}

SampleType label_type(std::int64_t n_clusters) {
    constexpr std::int64_t kMostInByte = 254;
    return n_clusters <= kMostInByte ? SampleType::Byte : SampleType::UInt16;
}

Product label_layout(std::int64_t n_clusters, const DateTexts& dates) {
    // Every band of a VRT has its own legend: of more clusters nobody reads one, and the file would be huge.
    constexpr std::int64_t kMostNamed = 1000;
    Product product = make_layout(kLabelProduct, label_type(n_clusters), 0, date_bands(dates));
    if (dates.empty()) product.bands.push_back({"cluster", {}});
    if (n_clusters <= kMostNamed) add_legend(product, n_clusters);
    return product;
}

MetadataItems lof_metadata(const LofParams& params, PixelScale scale, const std::string& threshold_rule,
                           std::optional<double> threshold) {
    MetadataItems items = {{"SOFTWARE", std::string("Rastertide ") + kVersion},
                           {"RASTERTIDE_METHOD", "local outlier factor"},
                           {"RASTERTIDE_PATCH", std::to_string(params.patch_size)},
                           {"RASTERTIDE_NEIGHBORS", std::to_string(params.neighbors)},
                           {"RASTERTIDE_SCALE", to_string(scale)},
                           {"RASTERTIDE_THRESHOLD_RULE", threshold_rule}};
    if (threshold) items.emplace_back("RASTERTIDE_THRESHOLD", number_text(*threshold));
    return items;
}

MetadataItems kmeans_metadata(const PatchCenters& centers, bool time_features, PixelScale scale) {
    return {{"SOFTWARE", std::string("Rastertide ") + kVersion},
            {"RASTERTIDE_METHOD", "k-means"},
            {"RASTERTIDE_CLUSTERS", std::to_string(centers.n_clusters)},
            {"RASTERTIDE_PATCH", std::to_string(centers.patch_size)},
            {"RASTERTIDE_FEATURES", time_features ? "time" : "patch"},
            {"RASTERTIDE_SCALE", to_string(scale)}};
}

}  // namespace rastertide
