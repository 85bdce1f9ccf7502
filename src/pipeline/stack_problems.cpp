// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stack_problems.hpp"

namespace rastertide {
namespace {

void add_grid_problems(const RasterSeries& series, std::vector<std::string>& problems) {
    const Grid& grid = series.grid();
    if (!grid.has_geotransform && series.has_ground_control_points()) {
        problems.emplace_back("has ground control points: warp it first (gdalwarp)");
        return;  // warping gives both
    }
    if (grid.crs_wkt.empty()) problems.emplace_back("no coordinate reference system; -a_srs gives one");
    if (!grid.has_geotransform) problems.emplace_back("no geotransform; -a_ullr gives one");
}

}  // namespace

std::vector<std::string> stack_problems(const RasterSeries& series) {
    std::vector<std::string> problems;
    add_grid_problems(series, problems);
    const std::vector<SceneInfo>& scenes = series.scenes();
    if (!scenes.front().date) problems.emplace_back("no dates; -dates or -date_regex gives them");
    std::int64_t n_repeated = 0;
    for (std::size_t i = 1; i < scenes.size(); ++i) {
        n_repeated += scenes[i].date && scenes[i].date == scenes[i - 1].date ? 1 : 0;
    }
    if (n_repeated > 0)
        problems.push_back(std::to_string(n_repeated) +
                           " scenes have the date of another one: all are kept, in the order given; -mosaic "
                           "time joins them");
    return problems;
}

}  // namespace rastertide
