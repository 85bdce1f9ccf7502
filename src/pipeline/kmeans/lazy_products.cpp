// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <rastertide/core/error.hpp>
#include <rastertide/write/lazy_labels.hpp>

#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {
namespace {

struct LazyFile {
    const char* name;
    LazyDialect dialect;
};
constexpr LazyFile kLazyFiles[] = {{"labels_lazy.vrt", LazyDialect::Plugin},
                                   {"labels_lazy_expression.vrt", LazyDialect::Expression}};

/// A file's name is to hold wherever GDAL runs.
LazyBand lazy_band(const GdalBand& band) {
    namespace fs = std::filesystem;
    LazyBand result;
    static_cast<GdalBand&>(result) = band;
    std::error_code error;
    if (fs::exists(band.dataset, error)) result.dataset = fs::absolute(band.dataset).string();
    return result;
}

}  // namespace

std::vector<std::string> lazy_file_names() {
    std::vector<std::string> names;
    for (const LazyFile& file : kLazyFiles) {
        names.emplace_back(file.name);
        for (const std::string& part : lazy_label_parts(file.name)) names.push_back(part);
    }
    return names;
}

void require_lazy_scenes(const KMeansRun& run) {
    for (const SceneInfo& scene : run.series.scenes()) {
        for (const GdalBand& band : scene.bands) {
            if (!band.dataset.empty()) continue;
            throw InvalidArgument(
                "-lazy: GDAL alone does not read '" + scene.name +
                "' as this run does (rows upwards, unsigned values, an alpha band, -mask, -oo, a window, "
                "another grid or a mosaic); expected scenes that a VRT can refer to");
        }
    }
}

void write_lazy_products(const KMeansRun& run, const KMeansModel& model, const Product& labels) {
    LazyLabels lazy;
    lazy.centers = model.centers;
    for (const SceneInfo& scene : run.series.scenes()) {
        std::vector<LazyBand> bands;
        for (const GdalBand& band : scene.bands) bands.push_back(lazy_band(band));
        lazy.dates.push_back(std::move(bands));
    }
    for (const LazyFile& file : kLazyFiles) {
        lazy.dialect = file.dialect;
        write_lazy_labels(run.folder.file(file.name), run.series.grid(), labels, lazy);
    }
}

}  // namespace rastertide
