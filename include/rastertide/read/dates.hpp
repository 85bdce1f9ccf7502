// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rastertide {

/// When a scene was taken, UTC. Ordered by time; a plain day orders as its midnight.
struct Date {
    std::int64_t seconds = 0;  ///< since 1970-01-01T00:00:00Z
    bool has_time = false;     ///< false: only the day is known

    /// ISO 8601: "2019-03-01" or "2019-03-01T05:51:37Z".
    std::string iso() const;

    friend bool operator==(const Date&, const Date&) = default;
    friend bool operator<(const Date& a, const Date& b) { return a.seconds < b.seconds; }
};

/// Reads YYYY-MM-DD, YYYYMMDD, YYYYDDD (day of year), each with an optional time ([T ]hh:mm[:ss[.f]] or
/// Thhmmss, Z or offset), and GDAL's and TIFF's YYYY:MM:DD hh:mm:ss. Nothing if the whole text is not such a
/// date, the day does not exist, or the time is not of the years 0 to 9999 in UTC.
std::optional<Date> parse_date(std::string_view text);

/// When a scene was taken, by its file name; of a connection string the part in quotes counts. Folders and
/// extension are ignored, but a product's metadata file has the date of its folder (*.SAFE). Of two dates the
/// first is the acquisition's in the names of most products (Sentinel, OPERA, Landsat, PlanetScope); names of
/// MODIS, VIIRS, AppEEARS, ASTER, old Landsat and old Sentinel-2 scenes are read by rules of their own.
/// @param regex  ECMAScript; its first group (or the whole match) must be a date of parse_date(); empty =
/// find one of
///               YYYYMMDD[Thhmmss], YYYY-MM-DD (or with _ or .), YYYYDDD[Thhmmss], YYYYMMDDhhmm[ss] between
///               years 1900 and 2199, none of them a part of a longer number
/// Of a text the first 1024 characters are searched. @throws InvalidArgument  the regex is not valid, or
/// longer
std::optional<Date> date_from_filename(const std::string& path, const std::string& regex = "");

/// The first match of a regex in a text that is a date. Parameters and errors as above; the regex is not
/// empty.
std::optional<Date> date_from_text(const std::string& text, const std::string& regex);

/// The dates of a text file: one a line, blank lines and lines that start with # skipped; in a comma
/// separated line the first field that is a date counts. @throws IoError unreadable; InvalidArgument naming
/// the line without a date
std::vector<Date> read_dates_file(const std::string& path);

}  // namespace rastertide
