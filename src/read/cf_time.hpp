// SPDX-License-Identifier: Apache-2.0
// Time coordinates of the CF conventions ("days since 1970-01-01").
#pragma once

#include <optional>
#include <string>

#include <gdal.h>

#include <rastertide/read/dates.hpp>

namespace rastertide {

/// A value of a time coordinate. Calendars: standard, gregorian, proleptic_gregorian (or none named). Nothing
/// if the units or the calendar are not understood, or the value is not finite.
std::optional<Date> date_from_cf_time(double value, const std::string& units, const std::string& calendar);

/// The CF time of a band of GDAL's netCDF driver, from its NETCDF_DIM_... items.
std::optional<Date> cf_time_of_band(GDALDatasetH dataset, GDALRasterBandH band);

}  // namespace rastertide
