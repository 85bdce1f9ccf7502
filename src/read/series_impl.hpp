// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <rastertide/read/series.hpp>

#include "read/open_sources.hpp"
#include "read/source.hpp"

namespace rastertide {

/// Bands of one source that make one date, or a part of it.
struct ScenePart {
    std::size_t source = 0;
    std::vector<int> bands;  ///< numbers from 0
};

struct Scene : ScenePart {
    SceneInfo info;
    std::vector<ScenePart> fill = {};  ///< where no earlier part has a valid pixel
    std::size_t mask = 0;              ///< number of its mask, where the series has masks
};

class SeriesMask;

struct RasterSeries::Impl : OpenedSources {
    explicit Impl(OpenedSources opened);
    ~Impl();

    std::size_t max_open_sources = 0;  ///< those after that many let go of their files after each read
    std::unique_ptr<SeriesMask> mask;  ///< null: none
    ReadScratch scratch;
    std::vector<Scene> scenes;  ///< in the series' order
    Grid grid;
    PixelScale scale = PixelScale::Linear;
    std::vector<SceneInfo> infos;  ///< of the scenes
    std::vector<std::string> band_names;
    std::vector<float> part;  ///< pixels of a part of a scene

    /// Neighbouring scenes of one source. @param pixels [scene][band][window]
    void read_scenes(std::span<const Scene> neighbours, const Window& window, float* pixels);
    /// @param pixels [band][window] @throws UnreadableInput
    void read_part(const ScenePart& scene_part, const Window& window, float* pixels);
    /// Pixels of a scene's further parts where it has none. @param pixels [band][window] of the scene
    void fill_scene(const Scene& scene, const Window& window, float* pixels);
};

}  // namespace rastertide
