// SPDX-License-Identifier: Apache-2.0
#include "read/scene_dates.hpp"

#include <algorithm>

#include <gdal.h>

#include <rastertide/core/error.hpp>

#include "read/gdal_error.hpp"

namespace rastertide {
namespace {

void set_date(Scene& scene, std::optional<Date> date, const std::string& source) {
    if (!date) return;
    scene.info.date = date;
    scene.info.date_source = source;
}

std::optional<Date> tiff_datetime(const std::string& name) {
    const GdalErrorCapture quiet;
    GDALDatasetH dataset = GDALOpen(name.c_str(), GA_ReadOnly);
    if (dataset == nullptr) return std::nullopt;
    const char* text = GDALGetMetadataItem(dataset, "TIFFTAG_DATETIME", nullptr);
    const auto date = parse_date(text != nullptr ? text : "");
    GDALClose(dataset);
    return date;
}

/// The file has a date for inputs that are left out, too.
void take_dates_of_file(std::vector<Scene>& scenes, const OpenedSources& opened,
                        const SeriesOptions& options) {
    const std::vector<Date> dates = read_dates_file(options.dates_file);
    const std::size_t n_scenes = opened.is_one_raster() ? scenes.size() : opened.inputs.size();
    if (dates.size() != n_scenes) {
        throw InvalidArgument("'" + options.dates_file + "': " + std::to_string(dates.size()) +
                              " dates, the stack has " + std::to_string(n_scenes) + " scenes");
    }
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        const std::size_t place = opened.is_one_raster() ? i : opened.places[scenes[i].source];
        set_date(scenes[i], dates[place], "-dates");
    }
}

/// From file names; in one raster of several scenes from the bands' descriptions.
void take_dates_by_regex(std::vector<Scene>& scenes, const OpenedSources& opened, const std::string& regex) {
    const bool of_bands = opened.is_one_raster() && opened.sources.front()->info().n_dates() > 1;
    for (Scene& scene : scenes) {
        const SourceInfo& info = opened.sources[scene.source]->info();
        const std::string& description =
            info.bands[static_cast<std::size_t>(scene.bands.front())].description;
        const auto date =
            of_bands ? date_from_text(description, regex) : date_from_filename(info.name, regex);
        if (!date) {
            throw InvalidArgument("'" + scene.info.name + "': -date_regex '" + regex +
                                  "' finds no date in the " +
                                  (of_bands ? "band's description '" + description + "'" : "file name"));
        }
        set_date(scene, date, of_bands ? "band description" : "file name");
    }
}

/// A time that is there but not understood must not be lost.
void require_understood_times(const std::vector<Scene>& scenes, const Sources& sources) {
    for (const Scene& scene : scenes) {
        const SourceInfo& info = sources[scene.source]->info();
        const SourceBand& band = info.bands[static_cast<std::size_t>(scene.bands.front())];
        if (scene.info.date || band.date_problem.empty()) continue;
        throw InvalidArgument("'" + info.name + "': " + band.date_problem +
                              "; give the dates with -dates FILE or -date_regex");
    }
}

void take_own_dates(std::vector<Scene>& scenes, const OpenedSources& opened, const Logger& logger) {
    // The name of a file of several scenes is not that of a date.
    if (opened.is_one_raster() && scenes.size() > 1) return;
    for (Scene& scene : scenes) {
        const std::string& name = opened.sources[scene.source]->info().name;
        if (!scene.info.date) set_date(scene, date_from_filename(name), "file name");
        if (scene.info.date) continue;
        set_date(scene, tiff_datetime(name), "TIFFTAG_DATETIME");
        if (scene.info.date) {
            log(logger, LogLevel::Warning,
                "'" + name + "': dated by TIFFTAG_DATETIME, which may be the time of processing");
        }
    }
}

void require_dates_on_all_or_none(const std::vector<Scene>& scenes) {
    const auto dated = [](const Scene& scene) { return scene.info.date.has_value(); };
    const auto first_undated = std::find_if_not(scenes.begin(), scenes.end(), dated);
    if (first_undated == scenes.end() || std::none_of(scenes.begin(), scenes.end(), dated)) return;
    throw InvalidArgument("'" + first_undated->info.name +
                          "': has no date, other scenes have one; give all with -dates FILE or -date_regex");
}

}  // namespace

void find_dates(std::vector<Scene>& scenes, const OpenedSources& opened, const SeriesOptions& options,
                const Logger& logger) {
    if (!options.dates_file.empty()) {
        take_dates_of_file(scenes, opened, options);
    } else if (!options.date_regex.empty()) {
        take_dates_by_regex(scenes, opened, options.date_regex);
    } else {
        require_understood_times(scenes, opened.sources);
        take_own_dates(scenes, opened, logger);
    }
    require_dates_on_all_or_none(scenes);
}

void sort_by_date(std::vector<Scene>& scenes, const Logger& logger) {
    if (!scenes.front().info.date) return;
    std::stable_sort(scenes.begin(), scenes.end(),
                     [](const Scene& a, const Scene& b) { return *a.info.date < *b.info.date; });
    for (std::size_t i = 1; i < scenes.size(); ++i) {
        if (*scenes[i].info.date < *scenes[i - 1].info.date ||
            *scenes[i - 1].info.date < *scenes[i].info.date)
            continue;
        log(logger, LogLevel::Info,
            "'" + scenes[i].info.name + "' and '" + scenes[i - 1].info.name + "' have one date, " +
                scenes[i].info.date->iso() + ": both are kept, in the order given");
    }
}

void keep_date_range(std::vector<Scene>& scenes, const SeriesOptions& options) {
    if (!options.start_date && !options.end_date) return;
    if (!scenes.front().info.date) {
        throw InvalidArgument("-start_date and -end_date need scenes with dates; give them with -dates FILE");
    }
    const auto outside = [&](const Scene& scene) {
        const std::int64_t seconds = scene.info.date->seconds;
        if (options.start_date && seconds < options.start_date->seconds) return true;
        if (!options.end_date) return false;
        const std::int64_t whole_day = options.end_date->has_time ? 0 : 86399;
        return seconds > options.end_date->seconds + whole_day;
    };
    std::erase_if(scenes, outside);
    if (scenes.empty()) throw InvalidArgument("no scene lies in the date range");
}

/// The first date and every n-th after it.
void keep_every(std::vector<Scene>& scenes, std::int64_t step) {
    if (step < 1) throw InvalidArgument("-date_step is " + std::to_string(step) + ", expected 1 or more");
    std::int64_t index = 0;
    std::erase_if(scenes, [&](const Scene&) { return index++ % step != 0; });
}

}  // namespace rastertide
