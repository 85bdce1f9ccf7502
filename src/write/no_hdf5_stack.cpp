// SPDX-License-Identifier: Apache-2.0
#include <rastertide/core/error.hpp>
#include <rastertide/write/hdf5_copy.hpp>
#include <rastertide/write/stack_writer.hpp>

#include "write/hdf5_stack_file.hpp"

namespace rastertide {
namespace {

[[noreturn]] void throw_unavailable(const std::string& path) {
    throw BackendUnavailable(
        "'" + path + "': this build has no HDF5 (RASTERTIDE_WITH_HDF5=OFF); name a folder of GeoTIFFs");
}

}  // namespace

std::unique_ptr<StackWriter> make_hdf5_stack(const std::string& path, const StackLayout& /*layout*/) {
    throw_unavailable(path);
}

void make_hdf5_file(const std::string& name, const std::string& /*path*/, const StackLayout& /*layout*/) {
    throw_unavailable(name);
}

std::unique_ptr<Hdf5PixelWriter> open_hdf5_pixels(const std::string& name, const std::string& /*path*/,
                                              const StackLayout& /*layout*/, const RankGroup* /*group*/) {
    throw_unavailable(name);
}

bool has_parallel_hdf5() { return false; }

}  // namespace rastertide
