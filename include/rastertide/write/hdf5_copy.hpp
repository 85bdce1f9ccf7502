// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/read/dates.hpp>
#include <rastertide/write/mosaic.hpp>

namespace rastertide {

/// Whether a format's name means the file of copy_to_hdf5(): "HDF5", which GDAL can only read.
bool is_hdf5_format(const std::string& format);

/// Tries what copy_to_hdf5() would do, before hours of work. @param n_dates  that are known
/// @throws BackendUnavailable  this build has no HDF5
/// @throws InvalidArgument     no dates, no north-up geotransform, or creation options, of which it has none
void check_hdf5_copy(const Grid& grid, std::size_t n_dates, const std::vector<std::string>& creation_options);

/// Copies a raster to one file of make_hdf5_stack(), in bounded memory: the variable `product.name` (time, y,
/// x) of the product's type and nodata value; the product's metadata are attributes of the file.
/// @param dates  one a band @throws IoError, InvalidArgument
void copy_to_hdf5(const std::string& source, const std::string& path, const Product& product,
                  const Grid& grid, const std::vector<Date>& dates);

}  // namespace rastertide
