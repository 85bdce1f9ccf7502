// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rastertide {

/// A CRS in the words of the CF conventions (section 5.6 and appendix F).
struct CfGridMapping {
    std::string name;  ///< grid_mapping_name; empty where only the WKT says what the CRS is
    std::vector<std::pair<std::string, double>> parameters;
    std::string wkt;  ///< crs_wkt
    bool is_geographic = false;
    std::string axis_units;  ///< "m", "degrees", or the CRS's own name of the unit
};

/// Named: geographic CRS and transverse Mercator (all UTM zones). @throws InvalidArgument  the WKT is not
/// understood
CfGridMapping make_cf_grid_mapping(const std::string& crs_wkt);

}  // namespace rastertide
