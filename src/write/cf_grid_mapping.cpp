// SPDX-License-Identifier: Apache-2.0
#include "write/cf_grid_mapping.hpp"

#include <memory>

#include <cpl_conv.h>
#include <ogr_spatialref.h>

#include <rastertide/core/error.hpp>

#include "read/gdal_error.hpp"

namespace rastertide {
namespace {

std::string export_wkt(const OGRSpatialReference& crs) {
    const char* const options[] = {"FORMAT=WKT2_2019", "MULTILINE=NO", nullptr};  // what CF asks of crs_wkt
    char* wkt = nullptr;
    crs.exportToWkt(&wkt, options);
    const std::unique_ptr<char, decltype(&VSIFree)> owner(wkt, &VSIFree);
    return wkt != nullptr ? wkt : "";
}

void add_ellipsoid(const OGRSpatialReference& crs, CfGridMapping& mapping) {
    mapping.parameters.emplace_back("semi_major_axis", crs.GetSemiMajor());
    mapping.parameters.emplace_back("inverse_flattening", crs.GetInvFlattening());
    mapping.parameters.emplace_back("longitude_of_prime_meridian", crs.GetPrimeMeridian());
}

void add_transverse_mercator(const OGRSpatialReference& crs, CfGridMapping& mapping) {
    mapping.name = "transverse_mercator";
    mapping.parameters = {
        {"scale_factor_at_central_meridian", crs.GetNormProjParm(SRS_PP_SCALE_FACTOR, 1)},
        {"longitude_of_central_meridian", crs.GetNormProjParm(SRS_PP_CENTRAL_MERIDIAN)},
        {"latitude_of_projection_origin", crs.GetNormProjParm(SRS_PP_LATITUDE_OF_ORIGIN)},
        {"false_easting", crs.GetProjParm(SRS_PP_FALSE_EASTING)},  // CF: in the unit of the coordinates
        {"false_northing", crs.GetProjParm(SRS_PP_FALSE_NORTHING)},
    };
}

}  // namespace

CfGridMapping make_cf_grid_mapping(const std::string& crs_wkt) {
    const GdalErrorCapture errors;
    OGRSpatialReference crs;
    if (crs.SetFromUserInput(crs_wkt.c_str()) != OGRERR_NONE) {
        throw InvalidArgument("the CRS is not understood" +
                              (errors.text().empty() ? "" : ": " + errors.text()));
    }
    CfGridMapping mapping;
    mapping.wkt = export_wkt(crs);
    mapping.is_geographic = crs.IsGeographic() != 0;
    const char* projection = crs.GetAttrValue("PROJECTION");
    if (mapping.is_geographic) mapping.name = "latitude_longitude";
    if (projection != nullptr && EQUAL(projection, SRS_PT_TRANSVERSE_MERCATOR)) {
        add_transverse_mercator(crs, mapping);
    }
    if (!mapping.name.empty()) add_ellipsoid(crs, mapping);
    const char* unit = nullptr;
    const double metres = crs.GetLinearUnits(&unit);
    mapping.axis_units = metres == 1 || unit == nullptr ? "m" : unit;
    if (mapping.is_geographic) mapping.axis_units = "degrees";
    return mapping;
}

}  // namespace rastertide
