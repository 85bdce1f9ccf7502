// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace rastertide {

/// `HDF5:"f.h5"://group/data`, `NETCDF:"f.nc":data` or a plain path.
struct Hdf5Name {
    std::string file;
    std::string dataset;  ///< path in the file; empty if none is named
};
Hdf5Name parse_hdf5_name(const std::string& name);

/// GDAL's driver would let the HDF5 library print its own errors. @throws IoError  the name is a connection
/// string, and its file is not there
void require_file_of_connection(const std::string& name);

}  // namespace rastertide
