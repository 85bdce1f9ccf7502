// SPDX-License-Identifier: Apache-2.0
#include "read/one_grid.hpp"

#include <algorithm>
#include <string>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>

#include "read/choose_grid.hpp"
#include "read/place_source.hpp"

namespace rastertide {
namespace {

void require_one_grid(const Sources& sources, const std::vector<Grid>& grids) {
    for (std::size_t i = 1; i < grids.size(); ++i) {
        const std::vector<GridDifference> differences = differences_in_words(grids[i], grids.front());
        if (differences.empty()) continue;
        const GridDifference& first = differences.front();
        const bool placed = grids[i].has_geotransform && grids.front().has_geotransform;
        throw GridMismatch("'" + sources[i]->info().name + "': " + first.what + " " + first.found +
                           ", expected " + first.expected + " as in '" + sources.front()->info().name +
                           "'; all scenes must lie on one grid: " +
                           (placed ? "-align union (or intersection) brings them onto that of the first"
                                   : "-a_ullr gives one"));
    }
}

void require_place(const std::string& name, const Grid& grid) {
    if (!grid.has_geotransform) {
        throw InvalidArgument("'" + name +
                              "': has no geotransform, expected one to bring it onto another grid; -a_ullr "
                              "gives one");
    }
    if (grid.crs_wkt.empty()) {
        throw InvalidArgument("'" + name +
                              "': has no coordinate reference system, expected one to bring it onto another "
                              "grid; -a_srs gives one");
    }
}

bool is_same(const Grid& a, const Grid& b) {
    return a.n_cols == b.n_cols && a.n_rows == b.n_rows && a.geotransform == b.geotransform &&
           a.crs_wkt == b.crs_wkt;
}

/// The grids that are not the target's pixels, each once.
std::vector<Grid> other_grids(const std::vector<Grid>& grids, const Grid& target) {
    std::vector<Grid> others;
    for (const Grid& grid : grids) {
        const auto same = [&](const Grid& other) { return is_same(grid, other); };
        if (!pixel_offset(grid, target) && std::none_of(others.begin(), others.end(), same)) {
            others.push_back(grid);
        }
    }
    return others;
}

/// Sources of one grid, cut to a window of it.
void cut_sources(Sources& sources, const Grid& grid, const Window& window) {
    if (window == grid.extent()) return;
    for (auto& source : sources) {
        source = make_window_source(std::move(source), grid.subset(window), {-window.col, -window.row});
    }
}

}  // namespace

std::vector<GridDifference> differences_in_words(const Grid& found, const Grid& expected) {
    std::vector<GridDifference> differences = grid_differences(found, expected, &is_same_crs);
    for (GridDifference& difference : differences) {
        if (difference.what != "CRS") continue;
        difference.found = crs_name(difference.found);
        difference.expected = crs_name(difference.expected);
    }
    return differences;
}

std::string first_difference(const Grid& found, const Grid& expected) {
    const std::vector<GridDifference> differences = differences_in_words(found, expected);
    if (differences.empty()) return "";
    const GridDifference& first = differences.front();
    return first.what + " " + first.found + ", expected " + first.expected;
}

void place_sources(Sources& sources, const std::vector<Grid>& grids, const Grid& target,
                   const SeriesOptions& options) {
    const std::vector<Grid> others = other_grids(grids, target);
    std::vector<std::shared_ptr<SharedTransformer>> transformers(others.size());
    const std::int64_t cache_bytes =
        options.cache_bytes / 2 / std::max<std::int64_t>(1, static_cast<std::int64_t>(others.size()));
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const std::optional<PixelOffset> offset = pixel_offset(grids[i], target);
        if (!offset) {
            const std::string name = sources[i]->info().name;
            require_place(name, grids[i]);
            const auto other = std::find_if(others.begin(), others.end(),
                                            [&](const Grid& grid) { return is_same(grids[i], grid); });
            std::shared_ptr<SharedTransformer>& shared =
                transformers[static_cast<std::size_t>(other - others.begin())];
            if (shared == nullptr) {
                shared = std::make_shared<SharedTransformer>(grids[i], name, target,
                                                             static_cast<std::size_t>(cache_bytes));
            }
            sources[i] = make_warped_source(std::move(sources[i]), grids[i], target, options.grid.r, shared);
        } else if (*offset != PixelOffset{} || target.n_cols != grids[i].n_cols ||
                   target.n_rows != grids[i].n_rows) {
            sources[i] = make_window_source(std::move(sources[i]), target, *offset);
        }
    }
}

Grid bring_onto_one_grid(Sources& sources, const std::vector<Grid>& grids, const SeriesOptions& options) {
    if (!options.grid.aligns()) {
        require_one_grid(sources, grids);
        const Window window = window_of_grid(grids.front(), options.grid);
        cut_sources(sources, grids.front(), window);
        return grids.front().subset(window);
    }
    std::vector<std::string> names;
    for (const auto& source : sources) names.push_back(source->info().name);
    const Grid whole = choose_grid(grids, names, options.grid);
    const Grid grid = whole.subset(window_of_grid(whole, options.grid));
    place_sources(sources, grids, grid, options);
    return grid;
}

}  // namespace rastertide
