// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <rastertide/read/dates.hpp>
#include <rastertide/write/mosaic.hpp>

#include "pipeline/stack_run.hpp"

namespace rastertide {

/// Copies a product, from the VRT over its shards, to its HDF5 file: all ranks together where HDF5 can, else
/// the first. Collective. @param dates  one a band @throws AgreedError
void write_hdf5_product(const StackRun& run, const std::string& vrt, const std::string& path,
                        const Product& product, const std::vector<Date>& dates);

}  // namespace rastertide
