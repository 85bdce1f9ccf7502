// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace rastertide {

/// WKT of any text that names a CRS ("EPSG:32632", PROJ string, WKT). @throws InvalidArgument not understood
std::string crs_from_user_input(const std::string& text);
/// Of a text that stands in a file of anybody's: one that names another file, or an address, is not
/// understood.
std::string crs_of_file(const std::string& text);

/// Whether two WKT texts mean one CRS, whatever order their axes are listed in.
bool is_same_crs(const std::string& a_wkt, const std::string& b_wkt);

/// What people call a CRS: "WGS 84 / UTM zone 32N (EPSG:32632)"; "unknown" for an empty text.
std::string crs_name(const std::string& wkt);

}  // namespace rastertide
