// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include <cpl_conv.h>
#include <gdal.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>
#include <rastertide/read/open_series.hpp>

#include "read/expand_inputs.hpp"
#include "read/gdal_error.hpp"
#include "read/mosaic_scenes.hpp"
#include "read/one_grid.hpp"
#include "read/open_files.hpp"
#include "read/open_sources.hpp"
#include "read/scene_dates.hpp"
#include "read/series_impl.hpp"
#include "read/series_mask.hpp"

namespace rastertide {
namespace {

/// In a program that has registered some, these count.
void register_drivers() {
    if (GDALGetDriverCount() == 0) GDALAllRegister();
}

bool is_configured(const char* key) { return CPLGetConfigOption(key, nullptr) != nullptr; }

/// What the user has not configured. Without a size, GDAL is another program's to tune.
void tune_gdal(std::int64_t cache_bytes, std::size_t n_inputs) {
    if (cache_bytes == 0) return;
    if (!is_configured("GDAL_CACHEMAX")) GDALSetCacheMax64(cache_bytes);
    // A VRT over many files thrashes with GDAL's default pool of 100 open ones.
    constexpr const char* kPool = "GDAL_MAX_DATASET_POOL_SIZE";
    const std::size_t most = n_inputs > 1 ? max_open_sources() / 5 : max_open_sources() * 9 / 10;
    if (!is_configured(kPool)) CPLSetConfigOption(kPool, std::to_string(most).c_str());
}

/// The bands of a source that the user wants, from 0.
std::vector<int> wanted_bands(const SourceInfo& info, const std::vector<int>& bands) {
    std::vector<int> wanted;
    for (const int band : bands) {
        if (band < 1 || band > static_cast<int>(info.n_dates())) {
            throw InvalidArgument("'" + info.name + "': -b " + std::to_string(band) +
                                  ", the raster has bands 1 to " + std::to_string(info.n_dates()));
        }
        wanted.push_back(band - 1);
    }
    return wanted;
}

/// What of a scene its raster says. A date of the whole raster is not that of its bands if each is a scene.
SceneInfo scene_info(const SourceInfo& info, const SourceBand& band, bool band_is_date) {
    const bool whole = info.acquisition && !band_is_date && (!band.date || band.date_source != kCfTime);
    if (whole) return {info.name, info.acquisition, "ACQUISITIONDATETIME", {}};
    return {info.name, band.date, band.date_source, {}};
}

/// The bands of a date, one of each variable.
std::vector<int> bands_of_date(const SourceInfo& info, int date) {
    std::vector<int> bands;
    const auto n_dates = static_cast<int>(info.n_dates());
    for (int band = date; band < static_cast<int>(info.bands.size()); band += n_dates) {
        bands.push_back(band);
        if (info.variables.empty()) break;
    }
    return bands;
}

/// One raster, a band a date (or a band of each variable).
std::vector<Scene> scenes_of_bands(const SourceInfo& info, const SeriesOptions& options) {
    std::vector<int> bands = wanted_bands(info, options.bands);
    if (options.bands.empty()) {
        for (int band = 0; band < static_cast<int>(info.n_dates()); ++band) bands.push_back(band);
    }
    std::vector<Scene> scenes;
    for (const int band : bands) {
        const SourceBand& source_band = info.bands[static_cast<std::size_t>(band)];
        Scene scene;
        scene.bands = bands_of_date(info, band);
        scene.info = scene_info(info, source_band, info.n_dates() > 1);
        scene.info.name += ", band " + std::to_string(band + 1);
        scenes.push_back(std::move(scene));
    }
    return scenes;
}

/// Several rasters, each a date.
std::vector<Scene> scenes_of_files(const Sources& sources, const SeriesOptions& options) {
    std::vector<Scene> scenes;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const SourceInfo& info = sources[i]->info();
        if (!info.variables.empty() && info.n_dates() > 1) {
            throw InvalidArgument("'" + info.name + "': has " + std::to_string(info.n_dates()) +
                                  " dates, a scene among several needs one");
        }
        if (options.bands.empty() && info.n_dates() > 1) {
            throw InvalidArgument(
                "'" + info.name + "': has " + std::to_string(info.bands.size()) +
                " bands, a scene among several needs one; name the bands that make a patch with -b " +
                "(-b 1 -b 2)");
        }
        if (!options.bands.empty() && !info.variables.empty()) {
            throw InvalidArgument("-b: not with several -dataset, which make a patch, of several files");
        }
        Scene scene;
        scene.source = i;
        scene.bands = options.bands.empty() ? bands_of_date(info, 0) : wanted_bands(info, options.bands);
        const SourceBand& band = info.bands[static_cast<std::size_t>(scene.bands.front())];
        scene.info = scene_info(info, band, false);
        scenes.push_back(std::move(scene));
    }
    return scenes;
}

/// Of inputs that are opened: bands of one raster.
void leave_out_scenes(RasterSeries::Impl& impl) {
    std::erase_if(impl.scenes, [&](const Scene& scene) {
        return is_among(impl.left_out, impl.input_name(scene.source, scene.bands.front()));
    });
    if (impl.scenes.empty()) {
        throw IoError("no date of '" + impl.inputs.front() +
                      "' can be read; the first: " + impl.left_out.front().error);
    }
}

/// How GDAL reads the pixels of a scene, for VRTs; of a mosaic it does not.
std::vector<GdalBand> gdal_bands(const Scene& scene, const Sources& sources) {
    std::vector<GdalBand> bands;
    for (const int band : scene.bands) {
        bands.push_back(sources[scene.source]->info().bands[static_cast<std::size_t>(band)].gdal);
        if (!scene.fill.empty()) bands.back().dataset.clear();
    }
    return bands;
}

Grid override_grid(Grid grid, const SeriesOptions& options) {
    if (!options.a_srs.empty()) grid.crs_wkt = crs_from_user_input(options.a_srs);
    if (options.a_ullr) {
        const auto [ulx, uly, lrx, lry] = *options.a_ullr;
        const bool spans_area =
            std::isfinite(lrx - ulx) && std::isfinite(lry - uly) && lrx != ulx && lry != uly;
        if (!spans_area) throw InvalidArgument("-a_ullr: the corners span no area");
        grid.geotransform.c = {ulx, (lrx - ulx) / static_cast<double>(grid.n_cols), 0, uly,
                               0,   (lry - uly) / static_cast<double>(grid.n_rows)};
        grid.has_geotransform = true;
    }
    return grid;
}

std::vector<Grid> grids_of(const Sources& sources, const SeriesOptions& options) {
    std::vector<Grid> grids;
    for (const auto& source : sources) grids.push_back(override_grid(source->info().grid, options));
    return grids;
}

/// Masks lie on the grid of the scenes as they are read; where scenes are brought onto another grid, masks
/// are, too. The user's CRS and corners hold for masks as well.
/// @param stack  where the scenes lie
std::unique_ptr<SeriesMask> open_mask(const Grid& stack, const Grid& target, const SeriesOptions& options,
                                      std::size_t max_open_sources) {
    if (options.mask.empty()) return nullptr;
    auto mask = std::make_unique<SeriesMask>(options.mask, max_open_sources);
    const std::vector<Grid> grids = grids_of(mask->sources(), options);
    for (std::size_t i = 0; i < grids.size() && !options.grid.aligns(); ++i) {
        const std::string difference = first_difference(grids[i], stack);
        if (!difference.empty()) {
            throw GridMismatch("-mask '" + mask->sources()[i]->info().name + "': " + difference +
                               " as in the stack");
        }
    }
    SeriesOptions nearest = options;
    nearest.grid.r = "near";
    place_sources(mask->sources(), grids, target, nearest);
    return mask;
}

std::vector<std::string> names_of_bands(const SourceInfo& info, const Scene& scene, bool band_is_date) {
    if (!info.variables.empty()) return info.variables;
    std::vector<std::string> names;
    for (const int band : scene.bands) {
        const std::string& description = info.bands[static_cast<std::size_t>(band)].description;
        const bool named = !description.empty() && !band_is_date;
        names.push_back(named ? description : "band " + std::to_string(band_is_date ? 1 : band + 1));
    }
    return names;
}

}  // namespace

RasterSeries open_series(const SeriesOptions& options, const Logger& logger) {
    register_drivers();
    options.grid.validate();
    const std::vector<std::string> names = expand_inputs(
        options.inputs, options.input_file_list, options.skip_errors ? Damaged::Keep : Damaged::Refuse);
    tune_gdal(options.grid.aligns() ? options.cache_bytes / 2 : options.cache_bytes, names.size());
    const std::size_t most_open = max_open_sources() / std::max<std::size_t>(1, options.dataset.size());
    auto impl = std::make_unique<RasterSeries::Impl>(open_sources(names, options, most_open, logger));
    impl->max_open_sources = most_open;
    impl->scale = options.scale;
    const std::vector<Grid> grids = grids_of(impl->sources, options);
    impl->grid = bring_onto_one_grid(impl->sources, grids, options);
    const bool band_is_date = impl->is_one_raster();
    impl->scenes = band_is_date ? scenes_of_bands(impl->sources.front()->info(), options)
                                : scenes_of_files(impl->sources, options);
    find_dates(impl->scenes, *impl, options, logger);
    leave_out_scenes(*impl);
    impl->scenes = mosaic_scenes(std::move(impl->scenes), grids, options.mosaic);
    sort_by_date(impl->scenes, logger);
    impl->mask = open_mask(grids.front(), impl->grid, options, impl->max_open_sources / 2);
    if (impl->mask != nullptr) impl->mask->assign(impl->scenes, options.skip_errors);
    keep_date_range(impl->scenes, options);
    keep_every(impl->scenes, options.date_step);
    for (const Scene& scene : impl->scenes) {
        impl->infos.push_back(scene.info);
        impl->infos.back().bands = gdal_bands(scene, impl->sources);
        if (impl->mask == nullptr) continue;
        for (GdalBand& band : impl->infos.back().bands) band.dataset.clear();  // GDAL sees no mask
    }
    const Scene& first = impl->scenes.front();
    impl->band_names = names_of_bands(impl->sources[first.source]->info(), first, band_is_date);
    return RasterSeries(std::move(impl));
}

std::vector<SceneDifference> scene_differences(const SeriesOptions& options) {
    register_drivers();
    const Sources sources =
        open_sources(expand_inputs(options.inputs, options.input_file_list), options, max_open_sources(), {})
            .sources;
    const std::vector<Grid> grids = grids_of(sources, options);
    std::vector<SceneDifference> all;
    for (std::size_t i = 1; i < grids.size(); ++i) {
        for (GridDifference& difference : differences_in_words(grids[i], grids.front())) {
            all.push_back({sources[i]->info().name, std::move(difference)});
        }
    }
    return all;
}

}  // namespace rastertide
