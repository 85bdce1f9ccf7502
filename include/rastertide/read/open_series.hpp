// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <rastertide/core/log.hpp>
#include <rastertide/read/grid_options.hpp>
#include <rastertide/read/series.hpp>

namespace rastertide {

/// What a user says about a stack; field names are the options' names.
struct SeriesOptions {
    /// Files, folders (their rasters, sorted by name, not their sub-folders), GDAL connection strings.
    std::vector<std::string> inputs;
    std::string input_file_list;  ///< a text file with one input a line, added to `inputs`
    std::vector<int>
        bands;  ///< -b, from 1. Several files: the features of a date. One multi-band file: its dates
    /// -dataset: the (T,H,W) variable of an HDF5 or netCDF file; several: the features of a date.
    std::vector<std::string> dataset;
    std::vector<std::string> open_options;  ///< -oo NAME=VALUE
    std::string dates_file;                 ///< -dates
    std::string date_regex;  ///< -date_regex, of file names; of band descriptions in one multi-band file
    std::optional<Date> start_date;  ///< both inclusive; a plain end day includes all of that day
    std::optional<Date> end_date;
    std::string a_srs;  ///< -a_srs: any text OGRSpatialReference understands; overrides the files'
    std::optional<std::array<double, 4>> a_ullr;  ///< -a_ullr ulx uly lrx lry, overrides the files'
    std::optional<double> srcnodata;              ///< overrides the files' nodata values
    /// -mask: rasters on the stack's grid, one band for all dates, or one band (or file) a date, in date
    /// order; 0, nodata and NaN in them mean that the pixel is invalid.
    std::vector<std::string> mask;
    PixelScale scale = PixelScale::Linear;
    GridOptions grid;  ///< -align, -te, -tr, -t_srs, -r, -projwin, ...
    MosaicRule mosaic = MosaicRule::Auto;
    std::int64_t date_step = 1;  ///< every n-th of the dates that are left
    /// -skip_errors: leave out inputs that cannot be opened instead of failing.
    bool skip_errors = false;
    std::vector<LeftOutInput> left_out;  ///< known before: not opened, or of one raster not read
    /// GDAL's block cache for this process; 0: GDAL's settings are left as they are.
    std::int64_t cache_bytes = 64 << 20;
};

/// Opens a stack and checks that it is one: same size, grid, CRS and bands in every scene, real pixel types.
/// With options.grid scenes of other grids are brought onto one, and scenes of one date joined: the first
/// valid pixel of each band in the order of the inputs counts. What no scene covers is NaN.
///
/// STACK forms: several single-band rasters (a date each), several multi-band rasters with `bands`, one
/// multi-band raster or VRT (a band a date), an HDF5 dataset (T,H,W) as `HDF5:"file.h5"://name` or file plus
/// `dataset` (several: a feature each), a netCDF file, a folder.
///
/// Dates come from, in this order: `dates_file`, `date_regex` (which must match every name), CF time,
/// IMAGERY:ACQUISITIONDATETIME (of a raster that is one scene), a band's DATE item, its description, the file
/// name, TIFFTAG_DATETIME (with a warning). Scenes are ordered by date. If only some scenes have a
/// date it is an error.
///
/// @throws InvalidArgument  no inputs; a multi-band raster among several without `bands`; complex type;
/// dataset missing or not
///                          (T,H,W); datasets of one file that differ in grid or dates; a name in which
///                          `date_regex` finds no date; a number of dates that differs from the scenes'; no
///                          scene in the date range; a bad value in `grid`; masks that are neither one nor as
///                          many as the scenes, or of another day than their scene
/// @throws GridMismatch     naming the first scene or mask that differs from the first scene, how, and what
///                          helps
/// @throws IoError          no such file, not a raster, truncated; with skip_errors if no input is left
RasterSeries open_series(const SeriesOptions& options, const Logger& logger = {});

/// A difference between a scene's grid and that of the first one.
struct SceneDifference {
    std::string scene;
    GridDifference difference;  ///< of a CRS its name
};

/// All differences, in the order of the inputs; options.grid is not looked at. Errors as of open_series().
std::vector<SceneDifference> scene_differences(const SeriesOptions& options);

}  // namespace rastertide
