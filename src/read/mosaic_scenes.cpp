// SPDX-License-Identifier: Apache-2.0
#include "read/mosaic_scenes.hpp"

#include <algorithm>
#include <map>

#include <rastertide/core/error.hpp>

#include "read/place_source.hpp"

namespace rastertide {
namespace {

constexpr std::int64_t kDay = 86400;

/// What scenes of one mosaic have in common.
std::int64_t key_of(const Date& date, MosaicRule rule) {
    if (rule != MosaicRule::Day) return date.seconds;
    const std::int64_t into_day = ((date.seconds % kDay) + kDay) % kDay;
    return date.seconds - into_day;
}

bool is_one_grid(const Grid& a, const Grid& b) {
    return a.n_cols == b.n_cols && a.n_rows == b.n_rows && pixel_offset(a, b) == PixelOffset{};
}

/// Scenes of one grid may be repeated on purpose, as of two orbits; neighbouring frames never are.
bool joins(const std::vector<Scene>& group, const std::vector<Grid>& grids, MosaicRule rule) {
    if (rule != MosaicRule::Auto) return true;
    const Grid& first = grids[group.front().source];
    return !std::all_of(group.begin(), group.end(),
                        [&](const Scene& scene) { return is_one_grid(grids[scene.source], first); });
}

Scene joined(const std::vector<Scene>& group) {
    Scene scene = group.front();
    for (auto part = group.begin() + 1; part != group.end(); ++part) {
        scene.fill.push_back({part->source, part->bands});
        scene.info.name += " + " + part->info.name;
        if (*part->info.date < *scene.info.date) scene.info.date = part->info.date;
    }
    return scene;
}

}  // namespace

std::vector<Scene> mosaic_scenes(std::vector<Scene> scenes, const std::vector<Grid>& grids, MosaicRule rule) {
    if (rule == MosaicRule::None) return scenes;
    if (!scenes.front().info.date) {
        if (rule == MosaicRule::Auto) return scenes;
        throw InvalidArgument("-mosaic " + to_string(rule) +
                              " needs scenes with dates; give them with -dates FILE");
    }
    std::map<std::int64_t, std::vector<Scene>> groups;
    for (Scene& scene : scenes) groups[key_of(*scene.info.date, rule)].push_back(std::move(scene));
    std::vector<Scene> result;
    for (auto& [key, group] : groups) {
        if (group.size() > 1 && joins(group, grids, rule)) {
            result.push_back(joined(group));
        } else {
            std::move(group.begin(), group.end(), std::back_inserter(result));
        }
    }
    return result;
}

}  // namespace rastertide
