// SPDX-License-Identifier: Apache-2.0
// Calendars of the CF conventions.
#pragma once

#include <optional>
#include <string>

namespace rastertide {

enum class CfCalendar {
    Standard,            ///< Gregorian, before 1582-10-15 Julian; the one that holds where none is named
    ProlepticGregorian,  ///< of ISO 8601, as all our dates
    NoLeap,              ///< years of 365 days
};

/// Case and blanks do not matter. Nothing for those whose days are not all days of ours: 360_day, all_leap,
/// julian.
std::optional<CfCalendar> parse_cf_calendar(const std::string& name);

/// A calendar's count of seconds at the time that proleptic Gregorian seconds since 1970 are the name of
/// ("0001-01-01 00:00"), and back. In between, times are added.
double seconds_in_calendar(CfCalendar calendar, double named);
double seconds_of_name(CfCalendar calendar, double in_calendar);

}  // namespace rastertide
