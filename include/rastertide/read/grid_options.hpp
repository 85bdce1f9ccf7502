// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>

namespace rastertide {

/// Which part of the scenes' extents a common grid spans.
enum class Align { No, Union, Intersection };

/// Scenes of one date that become one scene.
enum class MosaicRule {
    Auto,  ///< of one time, unless all of these lie on one and the same grid
    None,
    Time,  ///< of one time
    Day,   ///< of one day
};

/// The grid on which a stack is read; field names are the options' names, their meaning is GDAL's.
struct GridOptions {
    Align align = Align::No;
    std::optional<std::array<double, 4>> te;  ///< xmin ymin xmax ymax
    std::string te_srs;                       ///< CRS of `te`; empty = that of the grid
    std::optional<std::array<double, 2>> tr;  ///< xres yres
    bool tap = false;
    std::string t_srs;
    std::string r;                                 ///< "near", "bilinear", ...; empty = near
    std::optional<std::array<double, 4>> projwin;  ///< ulx uly lrx lry
    std::string projwin_srs;                       ///< CRS of `projwin`; empty = that of the grid

    /// Whether scenes of other grids are brought onto one.
    bool aligns() const;
    /// What can be wrong whatever the stack. @throws InvalidArgument naming the option
    void validate() const;
};

/// The words of -align and -mosaic. @throws InvalidArgument another word
Align parse_align(const std::string& word);
MosaicRule parse_mosaic_rule(const std::string& word);
std::string to_string(Align align);
std::string to_string(MosaicRule rule);

}  // namespace rastertide
