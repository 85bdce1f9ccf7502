// SPDX-License-Identifier: Apache-2.0
#include <rastertide/core/error.hpp>
#include <rastertide/write/stack_writer.hpp>

namespace rastertide {

std::unique_ptr<StackWriter> make_hdf5_stack(const std::string& path, const StackLayout& /*layout*/) {
    throw BackendUnavailable(
        "'" + path + "': this build has no HDF5 (RASTERTIDE_WITH_HDF5=OFF); name a folder of GeoTIFFs");
}

}  // namespace rastertide
