// SPDX-License-Identifier: Apache-2.0
// Time coordinates of the CF conventions ("days since 1970-01-01").
#pragma once

#include <optional>
#include <string>

#include <gdal.h>

#include <rastertide/read/dates.hpp>

namespace rastertide {

/// Units and calendar of a time coordinate.
class CfTime {
  public:
    CfTime(const std::string& units, const std::string& calendar);

    /// Why these units that are a time's are not understood; empty if they are, or are not a time's.
    std::string problem() const;
    /// Nothing if the units are not understood, or the time is not of the years 0 to 9999.
    std::optional<Date> date(double value) const;

  private:
    std::string units_;
    std::string calendar_;
    bool is_time_ = false;
    double unit_ = 0;              ///< seconds
    std::optional<double> epoch_;  ///< since 1970
};

struct CfDate {
    std::optional<Date> date;
    std::string problem;
};

/// The CF time of a band of GDAL's netCDF driver, from its NETCDF_DIM_... items.
CfDate cf_time_of_band(GDALDatasetH dataset, GDALRasterBandH band);

}  // namespace rastertide
