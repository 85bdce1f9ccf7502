// SPDX-License-Identifier: Apache-2.0
// What files of the CF conventions are made of.
#pragma once

#include <string>
#include <vector>

#include "read/hdf5_calls.hpp"

namespace rastertide {

void set_attribute(const Hdf5Calls& calls, hid_t object, const std::string& name, const std::string& value);
void set_attribute(const Hdf5Calls& calls, hid_t object, const std::string& name, double value);

/// Properties of a new dataset that does not hold when it was made: the same run gives the same bytes.
Hdf5Id make_timeless_creation(const Hdf5Calls& calls);

/// Makes and fills a one-dimensional variable of doubles that is a dimension scale of its own name.
Hdf5Id make_coordinate(const Hdf5Calls& calls, hid_t file, const std::string& name,
                       const std::vector<double>& values);

}  // namespace rastertide
