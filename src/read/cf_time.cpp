// SPDX-License-Identifier: Apache-2.0
#include "read/cf_time.hpp"

#include <cmath>
#include <cstdlib>

namespace rastertide {
namespace {

/// Seconds of a CF time unit; 0 if it is not one of fixed length (months, years).
double unit_seconds(std::string unit) {
    if (!unit.empty() && unit.back() == 's' && unit.size() > 1) unit.pop_back();
    if (unit == "day" || unit == "d") return 86400;
    if (unit == "hour" || unit == "hr" || unit == "h") return 3600;
    if (unit == "minute" || unit == "min") return 60;
    if (unit == "second" || unit == "sec") return 1;
    if (unit == "millisecond" || unit == "msec") return 1e-3;
    if (unit == "microsecond") return 1e-6;
    if (unit == "nanosecond") return 1e-9;
    return 0;
}

/// The epoch of a CF unit is laxer than ISO 8601: "1970-1-1", "1970-01-01 00:00:00.0 UTC", "... 0:0:0".
std::optional<Date> parse_epoch(std::string text) {
    for (const char* zone : {" UTC", " +00:00", " 0:00", " Z"}) {
        const std::size_t at = text.rfind(zone);
        if (at != std::string::npos && at + std::string(zone).size() == text.size()) text.resize(at);
    }
    if (auto date = parse_date(text)) return date;
    int year = 0, month = 0, day = 0;
    if (std::sscanf(text.c_str(), "%d-%d-%d", &year, &month, &day) != 3) return std::nullopt;
    char iso[48];
    std::snprintf(iso, sizeof iso, "%04d-%02d-%02d", year, month, day);
    return parse_date(iso);
}

}  // namespace

std::optional<Date> date_from_cf_time(double value, const std::string& units, const std::string& calendar) {
    if (!calendar.empty() && calendar != "standard" && calendar != "gregorian" &&
        calendar != "proleptic_gregorian") {
        return std::nullopt;
    }
    const std::size_t since = units.find(" since ");
    if (since == std::string::npos || !std::isfinite(value)) return std::nullopt;
    const double unit = unit_seconds(units.substr(0, since));
    const auto epoch = parse_epoch(units.substr(since + 7));
    if (unit == 0 || !epoch) return std::nullopt;
    const double offset = std::round(value * unit);
    if (std::abs(offset) > 1e13) return std::nullopt;
    const std::int64_t seconds = epoch->seconds + static_cast<std::int64_t>(offset);
    return Date{seconds, seconds % 86400 != 0};
}

std::optional<Date> cf_time_of_band(GDALDatasetH dataset, GDALRasterBandH band) {
    for (const char* name : {"time", "t", "timestamp"}) {
        const char* value = GDALGetMetadataItem(band, (std::string("NETCDF_DIM_") + name).c_str(), nullptr);
        const char* units = GDALGetMetadataItem(dataset, (std::string(name) + "#units").c_str(), nullptr);
        const char* calendar =
            GDALGetMetadataItem(dataset, (std::string(name) + "#calendar").c_str(), nullptr);
        if (value == nullptr || units == nullptr) continue;
        return date_from_cf_time(std::strtod(value, nullptr), units, calendar != nullptr ? calendar : "");
    }
    return std::nullopt;
}

}  // namespace rastertide
