// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/grid/window.hpp>
#include <rastertide/read/dates.hpp>
#include <rastertide/write/shard.hpp>

namespace rastertide {

/// Writes a dated stack of rasters window by window, in bounded memory. One thread at a time, any thread.
template <class Value>
class BasicStackWriter {
  public:
    virtual ~BasicStackWriter() = default;
    /// @param values  [n_dates][window.n_rows][window.n_cols]. Windows may come in any order, each pixel
    /// once;
    ///                windows of whole chunks are fastest
    /// @throws IoError          naming the file and the reason (no space left, ...)
    /// @throws InvalidArgument  the window is not inside the grid
    virtual void write(const Window& window, const Value* values) = 0;
    /// Finishes the files and gives them their final names. A writer that goes without it leaves nothing
    /// behind. Called once; no write() after it. @throws IoError
    virtual void close() = 0;
};

using StackWriter = BasicStackWriter<float>;
using LabelWriter = BasicStackWriter<std::uint8_t>;

struct StackLayout {
    Grid grid;
    std::vector<Date> dates;
    std::string variable = "data";              ///< HDF5 dataset name; band description
    std::string units;                          ///< "1" for linear power
    std::vector<std::string> creation_options;  ///< GDAL's NAME=VALUE, GeoTIFF only
    SampleType type = SampleType::Float32;      ///< in the file, HDF5 only; in memory the writer's
    double nodata = std::numeric_limits<double>::quiet_NaN();     ///< HDF5 only: _FillValue
    std::vector<std::pair<std::string, std::string>> attributes;  ///< HDF5 only: of the file
    std::int64_t chunk_n_cols = 128;  ///< of the HDF5 chunks (one date each) and the GeoTIFF blocks
    std::int64_t chunk_n_rows = 128;
    bool overwrite = false;  ///< close() replaces an earlier output; until then it stays as it was
};

/// A folder of single-band GeoTIFFs `<prefix>_YYYYMMDD.tif`, nodata NaN, with DATE metadata. The folder holds
/// nothing else: it is absent or empty before, or, to overwrite, holds files of such names only.
/// @throws IoError          the folder cannot be made, or holds files that are not to be overwritten
/// @throws InvalidArgument  no dates, two of one day, or an empty grid
std::unique_ptr<StackWriter> make_geotiff_stack(const std::string& folder, const std::string& prefix,
                                                const StackLayout& layout);

/// One CF-conforming HDF5 file (netCDF-4 readers open it too): variable (time, y, x) with dimension scales,
/// `_FillValue` and a grid mapping (by name for UTM and other transverse Mercator and for geographic
/// CRS, as WKT for all).
/// @throws IoError             the file exists (and is not to be overwritten) or cannot be made
/// @throws InvalidArgument     no dates, an empty grid, or one without a north-up geotransform
/// @throws BackendUnavailable  this build has no HDF5
std::unique_ptr<StackWriter> make_hdf5_stack(const std::string& path, const StackLayout& layout);

/// One GeoTIFF of bytes with a band a date, DEFLATE unless the creation options say otherwise.
/// @throws IoError          the file exists (and is not to be overwritten) or cannot be made
/// @throws InvalidArgument  no dates, or an empty grid
std::unique_ptr<LabelWriter> make_label_stack(const std::string& path, const StackLayout& layout,
                                              std::uint8_t nodata);

}  // namespace rastertide
