// SPDX-License-Identifier: Apache-2.0
// Where a stack of the CF conventions lies, and when its dates are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/read/dates.hpp>

#include "read/hdf5_calls.hpp"

namespace rastertide {

struct Hdf5Georeference {
    Grid grid;                       ///< north-up where the y coordinates are known
    bool first_row_is_last = false;  ///< the file's first row is the grid's last one: its y ascend
};

/// The grid of a dataset (time, y, x). Coordinate variables win over a GeoTransform attribute, which may be
/// another grid's.
/// @throws InvalidArgument  coordinates that are not evenly spaced; axes in another order
Hdf5Georeference read_georeference(const Hdf5Calls& calls, hid_t dataset, const std::string& file);

struct Hdf5Date {
    std::optional<Date> date;
    std::string source;
    std::string problem{};  ///< why there is none, though there is a time coordinate
};

/// One a time step.
std::vector<Hdf5Date> read_time(const Hdf5Calls& calls, hid_t dataset);

}  // namespace rastertide
