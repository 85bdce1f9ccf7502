// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include <rastertide/core/version.hpp>
#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/style.hpp>
#include <rastertide/write/text_file.hpp>

#include "pipeline/kmeans/elbow.hpp"
#include "pipeline/kmeans/kmeans_options.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/number_text.hpp"
#include "pipeline/product_bands.hpp"

namespace rastertide {
namespace {

// Every band of a VRT has its own legend: of more clusters nobody reads one, and the file would be huge.
constexpr std::int64_t kMostNamed = 1000;

/// The run's parameters, which every product carries.
MetadataItems parameters(const KMeansRun& run, const KMeansModel& model) {
    const RunKMeansOptions& options = run.options;
    MetadataItems items = {{"SOFTWARE", std::string("Rastertide ") + kVersion},
                           {"RASTERTIDE_METHOD", "k-means"},
                           {"RASTERTIDE_CLUSTERS", std::to_string(model.centers.n_clusters)},
                           {"RASTERTIDE_PATCH", std::to_string(options.patch_size)},
                           {"RASTERTIDE_FEATURES", options.time_features ? "time" : "patch"},
                           {"RASTERTIDE_SCALE", to_string(options.series.scale)}};
    if (options.model_file.empty()) {
        items.emplace_back("RASTERTIDE_ALGORITHM", to_string(options.algorithm));
        items.emplace_back("RASTERTIDE_INIT", to_string(options.init));
        items.emplace_back("RASTERTIDE_SEED", std::to_string(options.seed));
        items.emplace_back("RASTERTIDE_ENERGY", number_text(model.energy));
    }
    return items;
}

MetadataItems label_statistics(const std::vector<std::int64_t>& counts, std::int64_t n_pixels) {
    double n = 0;
    double sum = 0;
    double sum_of_squares = 0;
    double min = 0;
    double max = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        if (counts[k] == 0) continue;
        const auto label = static_cast<double>(k + 1);
        const auto count = static_cast<double>(counts[k]);
        if (n == 0) min = label;
        max = label;
        n += count;
        sum += count * label;
        sum_of_squares += count * label * label;
    }
    const double mean = sum / n;
    return statistics_items(min, max, mean, std::sqrt(std::max(0.0, sum_of_squares / n - mean * mean)),
                            static_cast<std::int64_t>(n), n_pixels);
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

Product label_product(const KMeansRun& run, const KMeansModel& model, const KMeansSummary& summary) {
    const std::int64_t k = model.centers.n_clusters;
    Product product{kLabelProduct, run.label_type(k), 0, {}, parameters(run, model), {}, {}, false};
    if (k <= kMostNamed) add_legend(product, k);
    const std::int64_t n_pixels = run.series.grid().extent().n_pixels();
    for (std::size_t i = 0; i < summary.dates.size(); ++i) {
        const DateLabels& date = summary.dates[i];
        MetadataItems items = label_statistics(date.counts, n_pixels);
        product.bands.push_back(run.options.time_features
                                    ? ProductBand{"cluster", std::move(items)}
                                    : date_band(date.date, static_cast<std::int64_t>(i), std::move(items)));
    }
    return product;
}

std::string label_style(const Product& labels) {
    std::vector<StyleClass> classes;
    for (std::size_t i = 1; i < labels.colors.size(); ++i)
        classes.push_back({static_cast<double>(i), labels.colors[i], labels.categories[i]});
    return paletted_style(1, classes);
}

std::string band_name(const KMeansModel& model, std::int64_t band) {
    const auto i = static_cast<std::size_t>(band);
    return i < model.band_names.size() ? model.band_names[i] : "band " + std::to_string(band + 1);
}

/// The centres as images: bands of p x p pixels, or one of bands x dates where a sample is a time series.
void write_center_images(const KMeansRun& run, const KMeansModel& model) {
    const PatchCenters& centers = model.centers;
    Product product{"centers", SampleType::Float32, std::nan(""), {}, parameters(run, model), {}, {}, false};
    Grid grid;
    std::int64_t n_images = centers.n_bands;  // of a centre
    if (run.options.time_features) {
        n_images = 1;
        grid.n_cols = run.series.n_bands();
        grid.n_rows = run.n_dates();
    } else {
        grid.n_cols = grid.n_rows = centers.patch_size;
    }
    for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
        for (std::int64_t image = 0; image < n_images; ++image) {
            const std::string name = "cluster " + std::to_string(k + 1);
            product.bands.push_back({n_images == 1 ? name : name + ", " + band_name(model, image), {}});
        }
    }
    const std::vector<float> values(centers.values.begin(), centers.values.end());
    const std::string raster = run.folder.file("tiles/centers.tif");
    const std::string vrt = run.folder.file("tiles/centers.vrt");
    write_shard(raster, grid, static_cast<std::int64_t>(product.bands.size()),
                {SampleType::Float32, std::nan(""), {}}, values.data());
    write_mosaic(vrt, grid, product, {{"centers.tif", grid.extent()}});
    copy_raster(vrt, run.folder.file("centers.tif"), "GTiff", {}, false);
    for (const std::string& file : {vrt, raster}) std::filesystem::remove(file);
}

void write_other_products(const KMeansRun& run, const KMeansModel& model, const KMeansSummary& summary,
                          const Product& labels) {
    if (!labels.colors.empty()) write_text_file(run.folder.file("labels.qml"), label_style(labels));
    write_text_file(run.folder.file("centers.json"), kmeans_model_json(model));
    write_center_images(run, model);
    if (run.options.lazy) write_lazy_products(run, model, labels);
    if (summary.elbow.empty()) return;
    write_text_file(run.folder.file("elbow.csv"), elbow_csv(summary.elbow));
    write_text_file(run.folder.file("elbow.svg"), elbow_svg(summary.elbow));
}

}  // namespace

void write_kmeans_products(const KMeansRun& run, const KMeansModel& model, const KMeansSummary& summary) {
    const Product labels = label_product(run, model, summary);
    write_date_product(run, labels);
    together(run.comm, [&] {
        if (run.comm.rank() == 0) write_other_products(run, model, summary, labels);
    });
}

}  // namespace rastertide
