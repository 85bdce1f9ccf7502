// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>

#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/style.hpp>
#include <rastertide/write/text_file.hpp>

#include "core/number_text.hpp"
#include "pipeline/lof/lof_run.hpp"
#include "pipeline/lof/per_date.hpp"
#include "write/product_bands.hpp"
#include "write/product_layouts.hpp"

namespace rastertide {
namespace {

/// The run's parameters, which every product carries.
MetadataItems parameters(const LofRun& run, const LofSummary& summary) {
    const RunLofOptions& options = run.options;
    return lof_metadata(options.lof, options.series.scale, options.threshold.text(), summary.threshold);
}

/// `items` gives the statistics of a date.
template <class Items>
void add_statistics(Product& product, Items items) {
    for (std::size_t i = 0; i < product.bands.size(); ++i) {
        const MetadataItems more = items(i);
        MetadataItems& metadata = product.bands[i].metadata;
        metadata.insert(metadata.end(), more.begin(), more.end());
    }
}

Product lof_product(const LofRun& run, const ScoreStatistics& statistics, const LofSummary& summary) {
    const std::int64_t n_pixels = run.series.grid().extent().n_pixels();
    Product product = lof_layout(run.options.score_type, run.options.nodata, date_texts(run.series));
    product.metadata = parameters(run, summary);
    add_statistics(product, [&](std::size_t i) {
        const auto moments = statistics.date(static_cast<std::int64_t>(i));
        return statistics_items(moments.min, moments.max, moments.mean, moments.std, moments.n, n_pixels);
    });
    return product;
}

Product anomaly_product(const LofRun& run, const LofSummary& summary) {
    const std::int64_t n_pixels = run.series.grid().extent().n_pixels();
    Product product = anomaly_layout(date_texts(run.series));
    product.metadata = parameters(run, summary);
    add_statistics(product, [&](std::size_t i) {
        const DateSummary& date = summary.dates[i];
        const double mean = static_cast<double>(date.n_anomalies) / static_cast<double>(date.n_valid);
        return statistics_items(date.n_anomalies == date.n_valid ? 1 : 0, date.n_anomalies > 0 ? 1 : 0, mean,
                                std::sqrt(mean * (1 - mean)), date.n_valid, n_pixels);
    });
    return product;
}

/// The three products with one band for all dates.
std::vector<Product> location_products(const LofRun& run, const LofSummary& summary) {
    std::vector<Product> products = {anomaly_count_layout(),
                                     lof_max_layout(run.options.score_type, run.options.nodata),
                                     lof_max_date_layout(date_texts(run.series))};
    for (Product& product : products) product.metadata = parameters(run, summary);
    return products;
}

/// A single file, made from shards that are not kept.
void write_location_product(const LofRun& run, Product product) {
    product.pixel_is_point = run.series.pixel_is_point();
    const std::string vrt = run.folder.file("tiles/" + product.name + ".vrt");
    const std::string joined = run.folder.file("tiles/" + product.name + ".tif");
    write_product_mosaic(run, vrt, product, "../");
    // Of a VRT, GDAL merges the shards' statistics from percentages of two digits: they would depend on the
    // tiles.
    copy_raster(vrt, joined, "GTiff", {"TILED=YES", "BIGTIFF=IF_SAFER"}, false);
    // Counts and dates must not be averaged; the highest score of a neighbourhood should not fade either.
    copy_raster(joined, run.folder.file(product.name + ".tif"), "COG",
                {"COMPRESS=DEFLATE", "RESAMPLING=NEAREST", "STATISTICS=YES"}, true);
    for (const std::string& file : {vrt, joined, joined + ".aux.xml"}) std::filesystem::remove(file);
    run.folder.remove_product(product.name);
}

std::string ramp_style(double low, double high) {
    return pseudocolor_style(1, {{low, {0, 247, 247, 247, 255}, number_text(low)},
                                 {(low + high) / 2, {0, 244, 165, 130, 255}, number_text((low + high) / 2)},
                                 {high, {0, 178, 24, 43, 255}, number_text(high)}});
}

void write_styles(const LofRun& run, const LofSummary& summary) {
    // Scores start at about 1 (like the neighbours); full red well above the threshold.
    const bool has_threshold = !std::isnan(summary.threshold) && summary.threshold > 1;
    const std::string scores = ramp_style(1, has_threshold ? 2 * summary.threshold - 1 : 2);
    write_text_file(run.folder.file("lof.qml"), scores);
    write_text_file(run.folder.file("lof_max.qml"), scores);
    write_text_file(run.folder.file("anomaly_count.qml"),
                    ramp_style(0, std::max<double>(1, static_cast<double>(run.n_dates()) / 10)));
    write_text_file(run.folder.file("lof_max_date.qml"), ramp_style(1, static_cast<double>(run.n_dates())));
    write_text_file(
        run.folder.file("anomaly.qml"),
        paletted_style(1, {{0, {0, 245, 245, 245, 0}, "normal"}, {1, {1, 178, 24, 43, 255}, "anomalous"}}));
}

/// Each by one rank, by several ranks at a time.
void write_location_products(const LofRun& run, const LofSummary& summary) {
    int writer = 0;
    for (const Product& product : location_products(run, summary)) {
        if (writer == run.comm.rank()) write_location_product(run, product);
        writer = (writer + 1) % run.comm.size();
    }
}

void write_other_products(const LofRun& run, const LofSummary& summary) {
    write_styles(run, summary);
    write_text_file(run.folder.file("per_date.csv"), per_date_csv(summary.dates));
    write_text_file(run.folder.file("per_date.svg"), per_date_svg(summary.dates));
}

}  // namespace

void write_lof_products(const LofRun& run, const ScoreStatistics& statistics, const LofSummary& summary) {
    const std::array date_products = {lof_product(run, statistics, summary), anomaly_product(run, summary)};
    for (const Product& product : date_products) write_date_product(run, product);
    together(run.comm, [&] {
        write_location_products(run, summary);
        if (run.comm.rank() == 0) write_other_products(run, summary);
    });
}

}  // namespace rastertide
