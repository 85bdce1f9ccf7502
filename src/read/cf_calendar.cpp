// SPDX-License-Identifier: Apache-2.0
#include "read/cf_calendar.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "read/lower_case.hpp"

namespace rastertide {
namespace {

constexpr double kDaySeconds = 86400;
constexpr std::int64_t kFirstGregorianDay = -141427;  // 1582-10-15, since 1970

std::chrono::year_month_day date_of(std::int64_t day) {
    return std::chrono::sys_days(std::chrono::days(day));
}

/// Days since 1970 of a Julian date; years are counted from March, four make 1461 days.
std::int64_t day_of_julian(const std::chrono::year_month_day& date) {
    const auto month = static_cast<std::int64_t>(static_cast<unsigned>(date.month()));
    const std::int64_t year = static_cast<int>(date.year()) - (month <= 2 ? 1 : 0);
    const std::int64_t cycle = (year >= 0 ? year : year - 3) / 4;
    const std::int64_t month_from_march = (month + 9) % 12;
    const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + static_cast<unsigned>(date.day()) - 1;
    constexpr std::int64_t kDaysTo1970 = 719470;  // from 1 March of the year 0
    return cycle * 1461 + (year - cycle * 4) * 365 + day_of_year - kDaysTo1970;
}

constexpr std::chrono::year kCommonYear{2001};

std::int64_t day_without_leaps(const std::chrono::year_month_day& date) {
    const auto in_year = std::chrono::sys_days(kCommonYear / date.month() / date.day()) -
                         std::chrono::sys_days(kCommonYear / std::chrono::January / 1);
    return static_cast<std::int64_t>(static_cast<int>(date.year())) * 365 + in_year.count();
}

std::int64_t day_with_leaps(std::int64_t day) {
    const std::int64_t year = (day >= 0 ? day : day - 364) / 365;
    const std::chrono::year_month_day in_common =
        std::chrono::sys_days(kCommonYear / std::chrono::January / 1) + std::chrono::days(day - year * 365);
    return std::chrono::sys_days(std::chrono::year(static_cast<int>(year)) / in_common.month() /
                                 in_common.day())
        .time_since_epoch()
        .count();
}

/// Of the days alone; the time of day stays.
template <class Convert>
double convert_days(double seconds, Convert convert) {
    const double day = std::floor(seconds / kDaySeconds);
    return static_cast<double>(convert(static_cast<std::int64_t>(day))) * kDaySeconds +
           (seconds - day * kDaySeconds);
}

}  // namespace

std::optional<CfCalendar> parse_cf_calendar(const std::string& name) {
    const std::string word = lower_case(name);
    if (word.empty() || word == "standard" || word == "gregorian") return CfCalendar::Standard;
    if (word == "proleptic_gregorian") return CfCalendar::ProlepticGregorian;
    if (word == "noleap" || word == "365_day") return CfCalendar::NoLeap;
    return std::nullopt;
}

double seconds_in_calendar(CfCalendar calendar, double named) {
    if (calendar == CfCalendar::NoLeap) {
        return convert_days(named, [](std::int64_t day) { return day_without_leaps(date_of(day)); });
    }
    if (calendar == CfCalendar::Standard && named < kFirstGregorianDay * kDaySeconds) {
        return convert_days(named, [](std::int64_t day) { return day_of_julian(date_of(day)); });
    }
    return named;
}

double seconds_of_name(CfCalendar calendar, double in_calendar) {
    return calendar == CfCalendar::NoLeap ? convert_days(in_calendar, day_with_leaps) : in_calendar;
}

}  // namespace rastertide
