// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <cpl_conv.h>
#include <ogr_spatialref.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>

#include "read/gdal_error.hpp"

namespace rastertide {

namespace {

std::string crs_from(const std::string& text, CSLConstList limits) {
    const GdalErrorCapture errors;
    OGRSpatialReference crs;
    char* wkt = nullptr;
    if (crs.SetFromUserInput(text.c_str(), limits) != OGRERR_NONE || crs.exportToWkt(&wkt) != OGRERR_NONE) {
        throw InvalidArgument("'" + text + "': not a coordinate reference system" +
                              (errors.text().empty() ? "" : ": " + errors.text()));
    }
    const std::unique_ptr<char, decltype(&VSIFree)> owner(wkt, &VSIFree);
    return wkt;
}

}  // namespace

std::string crs_from_user_input(const std::string& text) { return crs_from(text, nullptr); }

std::string crs_of_file(const std::string& text) {
    return crs_from(text, OGRSpatialReference::SET_FROM_USER_INPUT_LIMITATIONS_get());
}

bool is_same_crs(const std::string& a_wkt, const std::string& b_wkt) {
    const GdalErrorCapture quiet;
    const OGRSpatialReference a(a_wkt.c_str());
    const OGRSpatialReference b(b_wkt.c_str());
    const char* const options[] = {"IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", nullptr};
    return a.IsSame(&b, options) != 0;
}

std::string crs_name(const std::string& wkt) {
    if (wkt.empty()) return "unknown";
    const GdalErrorCapture quiet;
    const OGRSpatialReference crs(wkt.c_str());
    const char* name = crs.GetName();
    const char* authority = crs.GetAuthorityName(nullptr);
    const char* code = crs.GetAuthorityCode(nullptr);
    std::string text = name != nullptr ? name : "unnamed";
    if (authority != nullptr && code != nullptr) text += std::string(" (") + authority + ":" + code + ")";
    return text;
}

}  // namespace rastertide
