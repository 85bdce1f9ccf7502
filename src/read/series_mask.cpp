// SPDX-License-Identifier: Apache-2.0
#include "read/series_mask.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include <rastertide/core/error.hpp>

#include "read/block_pieces.hpp"
#include "read/expand_inputs.hpp"
#include "read/open_source.hpp"

namespace rastertide {
namespace {

/// The first ten letters of an ISO date.
std::string day_of(const Date& date) { return date.iso().substr(0, 10); }

void blank(const Window& window, const Window& piece, const float* mask, float* band) {
    float* pixels = pixels_of_piece(window, piece, band);
    for (std::int64_t row = 0; row < piece.n_rows; ++row) {
        for (std::int64_t col = 0; col < piece.n_cols; ++col) {
            const float value = mask[row * piece.n_cols + col];
            // A NaN is nodata.
            if (!(value < 0 || value > 0)) pixels[col] = std::numeric_limits<float>::quiet_NaN();
        }
        pixels += window.n_cols;
    }
}

}  // namespace

SeriesMask::SeriesMask(const std::vector<std::string>& inputs, std::size_t max_open_sources)
    : max_open_sources_(max_open_sources) {
    const std::vector<std::string> names = expand_inputs(inputs, "");
    for (const std::string& name : names) {
        sources_.push_back(open_source(name, {}));
        if (sources_.size() > max_open_sources_) sources_.back()->release();
        const SourceInfo& info = sources_.back()->info();
        if (names.size() > 1 && info.bands.size() > 1) {
            throw InvalidArgument("-mask '" + name + "': has " + std::to_string(info.bands.size()) +
                                  " bands, expected 1 of each of several masks");
        }
        for (std::size_t i = 0; i < info.bands.size(); ++i) {
            Mask mask{sources_.size() - 1, static_cast<int>(i), name, info.bands[i].date};
            if (info.bands.size() > 1) mask.name += ", band " + std::to_string(i + 1);
            if (!mask.date && info.bands.size() == 1) mask.date = date_from_filename(name);
            masks_.push_back(std::move(mask));
        }
    }
}

void SeriesMask::assign(std::vector<Scene>& scenes, bool skip_errors) {
    if (masks_.size() > 1 && skip_errors) keep_those_of(scenes);
    if (masks_.size() != 1 && masks_.size() != scenes.size()) {
        throw InvalidArgument("-mask '" + masks_.front().name + "': there are " +
                              std::to_string(masks_.size()) + " masks, the stack has " +
                              std::to_string(scenes.size()) + " scenes; expected one mask, or one a scene");
    }
    if (masks_.size() > 1) sort_by_date();
    if (masks_.size() > 1) check_days(scenes);
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        scenes[i].mask = masks_.size() == 1 ? 0 : i;
        scenes[i].info.mask = masks_[scenes[i].mask].name;
    }
}

bool SeriesMask::all_have_dates() const {
    return std::ranges::all_of(masks_, [](const Mask& mask) { return mask.date.has_value(); });
}

/// Of a day with more masks than scenes, those of the scenes' times.
void SeriesMask::keep_those_of(const std::vector<Scene>& scenes) {
    const auto has_date = [](const Scene& scene) { return scene.info.date.has_value(); };
    if (!all_have_dates() || !std::ranges::all_of(scenes, has_date)) {
        throw InvalidArgument(
            "-skip_errors with several masks: expected dates of all scenes and in the names of all "
            "masks, to know which mask is of a scene that is left out");
    }
    std::map<std::string, std::vector<const Date*>> scenes_of_day;
    for (const Scene& scene : scenes) scenes_of_day[day_of(*scene.info.date)].push_back(&*scene.info.date);
    std::map<std::string, std::size_t> n_masks;
    for (const Mask& mask : masks_) ++n_masks[day_of(*mask.date)];
    std::erase_if(masks_, [&](const Mask& mask) {
        const std::vector<const Date*>& dates = scenes_of_day[day_of(*mask.date)];
        if (dates.size() == n_masks[day_of(*mask.date)]) return false;
        return std::ranges::none_of(dates,
                                    [&](const Date* date) { return date->seconds == mask.date->seconds; });
    });
    if (masks_.empty()) throw InvalidArgument("-mask: no mask is of the day of a scene");
}

void SeriesMask::sort_by_date() {
    if (!all_have_dates()) return;
    std::stable_sort(masks_.begin(), masks_.end(),
                     [](const Mask& a, const Mask& b) { return *a.date < *b.date; });
}

/// A mask that is put on another date's scene shows in no result.
void SeriesMask::check_days(const std::vector<Scene>& scenes) const {
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        const std::optional<Date>& of_scene = scenes[i].info.date;
        const std::optional<Date>& of_mask = masks_[i].date;
        if (!of_scene || !of_mask || day_of(*of_scene) == day_of(*of_mask)) continue;
        throw InvalidArgument("-mask '" + masks_[i].name + "': is of " + day_of(*of_mask) + ", expected " +
                              day_of(*of_scene) + " as of the scene '" + scenes[i].info.name + "'");
    }
}

void SeriesMask::apply(const Window& window, std::span<const Scene> scenes, std::int64_t n_bands, float* out,
                       ReadScratch& scratch) {
    // Neighbouring dates of one file by one call, as RasterSeries::read() does.
    for (std::size_t first = 0; first < scenes.size();) {
        const std::size_t source = masks_[scenes[first].mask].source;
        std::size_t last = first;
        while (last < scenes.size() && masks_[scenes[last].mask].source == source) ++last;
        apply_source(window, scenes.subspan(first, last - first), n_bands,
                     out + static_cast<std::int64_t>(first) * n_bands * window.n_pixels(), scratch);
        if (source >= max_open_sources_) sources_[source]->release();
        first = last;
    }
}

void SeriesMask::apply_source(const Window& window, std::span<const Scene> scenes, std::int64_t n_bands,
                              float* out, ReadScratch& scratch) {
    const bool is_one = masks_.size() == 1;
    std::vector<int> bands;
    for (const Scene& scene : scenes) {
        if (bands.empty() || !is_one) bands.push_back(masks_[scene.mask].band);
    }
    RasterSource& source = *sources_[masks_[scenes.front().mask].source];
    const auto n_masks = static_cast<std::int64_t>(bands.size());
    for (const Window& piece : block_pieces(window, n_masks, source.info())) {
        float* values = scratch.piece(n_masks * piece.n_pixels());
        source.read(piece, bands, values, scratch);
        float* band = out;
        for (std::size_t i = 0; i < scenes.size(); ++i) {
            const float* mask = values + (is_one ? 0 : static_cast<std::int64_t>(i) * piece.n_pixels());
            for (std::int64_t b = 0; b < n_bands; ++b, band += window.n_pixels())
                blank(window, piece, mask, band);
        }
    }
}

}  // namespace rastertide
