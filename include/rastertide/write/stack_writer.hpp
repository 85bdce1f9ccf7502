// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/read/dates.hpp>

namespace rastertide {

/// Writes a dated stack of Float32 rasters window by window, in bounded memory.
class StackWriter {
  public:
    virtual ~StackWriter() = default;
    /// @param values  [n_dates][window.n_rows][window.n_cols]; NaN = nodata. Windows may come in any order,
    /// each pixel once.
    virtual void write(const Window& window, const float* values) = 0;
    /// Finishes the files and gives them their final names. A writer that goes without it leaves nothing
    /// behind.
    virtual void close() = 0;
};

struct StackLayout {
    Grid grid;
    std::vector<Date> dates;
    std::string variable = "data";              ///< HDF5 dataset name; band description
    std::string units;                          ///< "1" for linear power
    std::vector<std::string> creation_options;  ///< GDAL's NAME=VALUE, GeoTIFF only
    std::int64_t chunk_n_cols = 128;            ///< of the HDF5 chunks (one date each) and the GeoTIFF blocks
    std::int64_t chunk_n_rows = 128;
};

/// A folder of single-band GeoTIFFs `<prefix>_YYYYMMDD.tif`, nodata NaN, with DATE metadata.
/// @throws IoError  the folder cannot be made, or a file of that name exists
std::unique_ptr<StackWriter> make_geotiff_stack(const std::string& folder, const std::string& prefix,
                                                const StackLayout& layout);

/// One CF-conforming HDF5 file (netCDF-4 readers open it too): variable (time, y, x) with dimension scales,
/// `_FillValue` NaN and a grid mapping.
/// @throws IoError             the file exists or cannot be made
/// @throws BackendUnavailable  this build has no HDF5
std::unique_ptr<StackWriter> make_hdf5_stack(const std::string& path, const StackLayout& layout);

}  // namespace rastertide
