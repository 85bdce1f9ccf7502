// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <rastertide/core/error.hpp>
#include <rastertide/read/series.hpp>

#include "core/decibels.hpp"
#include "read/series_impl.hpp"
#include "read/series_mask.hpp"

namespace rastertide {

std::string to_string(PixelScale scale) { return scale == PixelScale::Db ? "db" : "linear"; }
namespace {

/// Neighbouring dates of one source: they are read by one call, as a three-dimensional variable is stored in
/// chunks of several dates.
std::vector<std::span<const Scene>> scenes_by_source(std::span<const Scene> scenes) {
    std::vector<std::span<const Scene>> groups;
    for (std::size_t first = 0, last = 0; first < scenes.size(); first = last) {
        while (last < scenes.size() && scenes[last].source == scenes[first].source) ++last;
        groups.push_back(scenes.subspan(first, last - first));
    }
    return groups;
}

}  // namespace

RasterSeries::Impl::Impl(OpenedSources opened) : OpenedSources(std::move(opened)) {}
RasterSeries::Impl::~Impl() = default;

RasterSeries::RasterSeries(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RasterSeries::RasterSeries(RasterSeries&&) noexcept = default;
RasterSeries& RasterSeries::operator=(RasterSeries&&) noexcept = default;
RasterSeries::~RasterSeries() = default;

const Grid& RasterSeries::grid() const { return impl_->grid; }
std::int64_t RasterSeries::n_dates() const { return static_cast<std::int64_t>(impl_->scenes.size()); }
std::int64_t RasterSeries::n_bands() const {
    return static_cast<std::int64_t>(impl_->scenes.front().bands.size());
}
const std::vector<SceneInfo>& RasterSeries::scenes() const { return impl_->infos; }
const std::vector<std::string>& RasterSeries::band_names() const { return impl_->band_names; }
const std::string& RasterSeries::data_type() const { return impl_->sources.front()->info().data_type; }
std::optional<double> RasterSeries::source_nodata() const { return impl_->sources.front()->info().nodata; }
const std::string& RasterSeries::format() const { return impl_->sources.front()->info().format; }
std::int64_t RasterSeries::block_n_cols() const { return impl_->sources.front()->info().block_n_cols; }
std::int64_t RasterSeries::block_n_rows() const { return impl_->sources.front()->info().block_n_rows; }
std::vector<std::string> RasterSeries::files() const {
    std::vector<std::string> files;
    const auto add = [&](RasterSource& source, bool keep_open) {
        const std::vector<std::string> more = source.files();
        files.insert(files.end(), more.begin(), more.end());
        if (!keep_open) source.release();
    };
    for (std::size_t i = 0; i < impl_->sources.size(); ++i)
        add(*impl_->sources[i], i < impl_->max_open_sources);
    if (impl_->mask == nullptr) return files;
    for (const auto& source : impl_->mask->sources()) add(*source, false);
    return files;
}
const std::vector<LeftOutInput>& RasterSeries::left_out() const { return impl_->left_out; }
bool RasterSeries::pixel_is_point() const { return impl_->sources.front()->info().pixel_is_point; }
bool RasterSeries::has_ground_control_points() const {
    return impl_->sources.front()->info().has_ground_control_points;
}

void RasterSeries::read(const Window& window, float* out) { read(window, 0, n_dates(), out); }

void RasterSeries::read(const Window& window, std::int64_t first_date, std::int64_t n_dates, float* out) {
    if (window.empty() || intersect(window, impl_->grid.extent()) != window) {
        throw InternalError("a window outside the raster was asked for");
    }
    const auto scenes = std::span<const Scene>(impl_->scenes)
                            .subspan(static_cast<std::size_t>(first_date), static_cast<std::size_t>(n_dates));
    float* pixels = out;
    for (const std::span<const Scene> neighbours : scenes_by_source(scenes)) {
        try {
            impl_->read_scenes(neighbours, window, pixels);
        } catch (const UnreadableInput&) {  // of one of them: alone it is named
            for (std::size_t i = 0; i < neighbours.size(); ++i)
                impl_->read_scenes(neighbours.subspan(i, 1), window,
                                   pixels + window.n_pixels() * n_bands() * static_cast<std::int64_t>(i));
        }
        pixels += window.n_pixels() * n_bands() * static_cast<std::int64_t>(neighbours.size());
    }
    if (impl_->mask != nullptr) impl_->mask->apply(window, scenes, n_bands(), out, impl_->scratch);
}

void RasterSeries::Impl::read_scenes(std::span<const Scene> neighbours, const Window& window, float* pixels) {
    std::vector<int> bands;
    for (const Scene& scene : neighbours) bands.insert(bands.end(), scene.bands.begin(), scene.bands.end());
    read_part({neighbours.front().source, bands}, window, pixels);
    for (const Scene& scene : neighbours) {
        fill_scene(scene, window, pixels);
        pixels += window.n_pixels() * static_cast<std::int64_t>(scene.bands.size());
    }
}

void RasterSeries::Impl::read_part(const ScenePart& scene_part, const Window& window, float* pixels) {
    RasterSource& source = *sources[scene_part.source];
    try {
        source.read(window, scene_part.bands, pixels, scratch);
    } catch (const IoError& error) {
        throw UnreadableInput(input_name(scene_part.source, scene_part.bands.front()), error.what());
    }
    if (scene_part.source >= max_open_sources) source.release();
    if (scale == PixelScale::Db) {
        to_decibels(pixels, window.n_pixels() * static_cast<std::int64_t>(scene_part.bands.size()));
    }
}

void RasterSeries::Impl::fill_scene(const Scene& scene, const Window& window, float* pixels) {
    const std::int64_t n = window.n_pixels() * static_cast<std::int64_t>(scene.bands.size());
    const auto invalid = [](float value) { return std::isnan(value); };
    for (const ScenePart& other : scene.fill) {
        if (std::none_of(pixels, pixels + n, invalid)) return;
        part.resize(static_cast<std::size_t>(n));
        read_part(other, window, part.data());
        for (std::int64_t i = 0; i < n; ++i) {
            if (std::isnan(pixels[i])) pixels[i] = part[static_cast<std::size_t>(i)];
        }
    }
}

}  // namespace rastertide
