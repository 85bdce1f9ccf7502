// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/style.hpp>
#include <rastertide/write/text_file.hpp>

#include "core/number_text.hpp"
#include "pipeline/kmeans/elbow.hpp"
#include "pipeline/kmeans/kmeans_options.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "write/product_bands.hpp"
#include "write/product_layouts.hpp"

namespace rastertide {
namespace {

/// The run's parameters, which every product carries.
MetadataItems parameters(const KMeansRun& run, const KMeansModel& model) {
    const RunKMeansOptions& options = run.options;
    MetadataItems items = kmeans_metadata(model.centers, options.time_features, options.series.scale);
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

Product label_product(const KMeansRun& run, const KMeansModel& model, const KMeansSummary& summary) {
    const DateTexts dates = run.options.time_features ? DateTexts{} : date_texts(run.series);
    Product product = label_layout(model.centers.n_clusters, dates);
    product.metadata = parameters(run, model);
    const std::int64_t n_pixels = run.series.grid().extent().n_pixels();
    for (std::size_t i = 0; i < product.bands.size(); ++i) {
        const MetadataItems items = label_statistics(summary.dates[i].counts, n_pixels);
        MetadataItems& metadata = product.bands[i].metadata;
        metadata.insert(metadata.end(), items.begin(), items.end());
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
