// SPDX-License-Identifier: Apache-2.0
#include "read/open_source.hpp"

#include "read/hdf5_name.hpp"

namespace rastertide {

std::unique_ptr<RasterSource> open_source(const std::string& name, const SourceOptions& options) {
    require_file_of_connection(name);
    return is_hdf5_stack(name, options) ? open_hdf5_source(name, options) : open_gdal_source(name, options);
}

}  // namespace rastertide
