// SPDX-License-Identifier: Apache-2.0
#include "common/grid_options.hpp"

#include <algorithm>

namespace rastertide::utils {
namespace {

template <std::size_t N>
std::optional<std::array<double, N>> numbers_option(const Args& args, const std::string& name) {
    if (!args.has(name)) return std::nullopt;
    const std::vector<double> given = args.numbers(name);
    std::array<double, N> numbers{};
    std::copy_n(given.begin(), N, numbers.begin());
    return numbers;
}

}  // namespace

std::vector<OptionSpec> grid_option_specs() {
    return {
        {"align", 1, "union|intersection", "bring scenes of other extents, pixels or CRS onto one grid"},
        {"te", 4, "xmin ymin xmax ymax", "extent of that grid"},
        {"te_srs", 1, "SRS", "CRS of -te (default: that of the grid)"},
        {"tr", 2, "xres yres", "its pixel size"},
        {"tap", 0, "", "its edges are multiples of -tr"},
        {"t_srs", 1, "SRS", "its CRS"},
        {"r", 1, "near|bilinear|cubic|average|...", "resampling, by gdalwarp's words (default near)"},
        {"projwin", 4, "ulx uly lrx lry", "read this window only, whole pixels outwards"},
        {"projwin_srs", 1, "SRS", "CRS of -projwin (default: that of the grid)"},
    };
}

GridOptions grid_options(const Args& args) {
    GridOptions options;
    if (args.has("align")) options.align = parse_align(args.get("align", ""));
    options.te = numbers_option<4>(args, "te");
    options.te_srs = args.get("te_srs", "");
    options.tr = numbers_option<2>(args, "tr");
    options.tap = args.has("tap");
    options.t_srs = args.get("t_srs", "");
    options.r = args.get("r", "");
    options.projwin = numbers_option<4>(args, "projwin");
    options.projwin_srs = args.get("projwin_srs", "");
    options.validate();
    return options;
}

}  // namespace rastertide::utils
