// SPDX-License-Identifier: Apache-2.0
#include "pipeline/grid_record.hpp"

namespace rastertide {
namespace {

Json json_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <class Numbers>
Json json_or_null(const std::optional<Numbers>& numbers) {
    return numbers ? Json(*numbers) : Json(nullptr);
}

}  // namespace

Json grid_options_json(const SeriesOptions& options) {
    const GridOptions& grid = options.grid;
    return {{"date_step", options.date_step},
            {"mosaic", to_string(options.mosaic)},
            {"align", json_or_null(to_string(grid.align))},
            {"te", json_or_null(grid.te)},
            {"te_srs", json_or_null(grid.te_srs)},
            {"tr", json_or_null(grid.tr)},
            {"tap", grid.tap},
            {"t_srs", json_or_null(grid.t_srs)},
            {"r", json_or_null(grid.r)},
            {"projwin", json_or_null(grid.projwin)},
            {"projwin_srs", json_or_null(grid.projwin_srs)}};
}

}  // namespace rastertide
