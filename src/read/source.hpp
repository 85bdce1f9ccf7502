// SPDX-License-Identifier: Apache-2.0
// One file of a series, whatever format: a stack of bands on one grid.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/read/dates.hpp>
#include <rastertide/read/series.hpp>

#include "read/scratch.hpp"

namespace rastertide {

/// The date source of a band's own time coordinate.
inline constexpr const char* kCfTime = "CF time";

struct SourceBand {
    std::string description;
    std::optional<Date> date;
    std::string date_source;  ///< where `date` was found
    GdalBand gdal;
    std::string date_problem{};  ///< why its time coordinate, which it has, is not understood
};

struct SourceInfo {
    std::string name;
    std::string format;
    Grid grid;
    std::vector<SourceBand> bands;       ///< those that carry values (an alpha band does not)
    std::vector<std::string> variables;  ///< several: bands are [variable][date]; else empty
    std::optional<Date> acquisition;     ///< of the whole raster: of its bands where they are one scene
    std::int64_t block_n_cols = 1;
    std::int64_t block_n_rows = 1;
    std::string data_type;
    std::optional<double> nodata;
    bool pixel_is_point = false;
    bool has_ground_control_points = false;

    /// Where each band is a date, or each band of a variable.
    std::size_t n_dates() const { return bands.size() / std::max<std::size_t>(1, variables.size()); }
};

class RasterSource {
  public:
    virtual ~RasterSource() = default;
    virtual const SourceInfo& info() const = 0;
    /// Reads bands (numbers from 0) of a window: out is [bands.size()][window.n_rows][window.n_cols]; invalid
    /// and non-finite pixels become NaN, the file's scale and offset are applied. @throws IoError
    virtual void read(const Window& window, std::span<const int> bands, float* out, ReadScratch& scratch) = 0;
    /// The files that it is read from.
    virtual std::vector<std::string> files() = 0;
    /// Lets go of the file until the next read().
    virtual void release() {}
};

using Sources = std::vector<std::unique_ptr<RasterSource>>;

struct SourceOptions {
    std::vector<std::string> open_options;
    std::string dataset;  ///< of a file that holds several: HDF5, netCDF
    std::optional<double> srcnodata;
};

/// @throws IoError, InvalidArgument (complex type, no such dataset)
std::unique_ptr<RasterSource> open_gdal_source(const std::string& name, const SourceOptions& options);

/// Whether the name is an HDF5 file or connection string that hdf5_source reads better than GDAL does.
bool is_hdf5_stack(const std::string& name, const SourceOptions& options);
/// @throws IoError, InvalidArgument (dataset missing, ambiguous or not (T,H,W)), BackendUnavailable (no HDF5)
std::unique_ptr<RasterSource> open_hdf5_source(const std::string& name, const SourceOptions& options);

}  // namespace rastertide
