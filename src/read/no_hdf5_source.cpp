// SPDX-License-Identifier: Apache-2.0
#include <rastertide/core/error.hpp>

#include "read/source.hpp"

namespace rastertide {

// GDAL's drivers read what they can.
bool is_hdf5_stack(const std::string&, const SourceOptions&) { return false; }

std::unique_ptr<RasterSource> open_hdf5_source(const std::string& name, const SourceOptions&) {
    throw BackendUnavailable("'" + name +
                             "': needs HDF5, which this build does not have (RASTERTIDE_WITH_HDF5)");
}

}  // namespace rastertide
