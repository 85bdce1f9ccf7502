// SPDX-License-Identifier: Apache-2.0
#include "read/cf_time.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "read/cf_calendar.hpp"
#include "read/date_range.hpp"
#include "read/lower_case.hpp"

namespace rastertide {
namespace {

/// Seconds of a CF time unit; 0 if it is not one of fixed length (months, years).
double unit_seconds(const std::string& text) {
    std::string unit = lower_case(text);
    unit.erase(0, unit.find_first_not_of(' '));
    unit.resize(unit.find_last_not_of(' ') + 1);
    if (unit == "s") return 1;
    if (unit == "ms") return 1e-3;
    if (!unit.empty() && unit.back() == 's' && unit.size() > 1) unit.pop_back();
    if (unit == "week") return 7 * 86400;
    if (unit == "day" || unit == "d") return 86400;
    if (unit == "hour" || unit == "hr" || unit == "h") return 3600;
    if (unit == "minute" || unit == "min") return 60;
    if (unit == "second" || unit == "sec") return 1;
    if (unit == "millisecond" || unit == "msec") return 1e-3;
    if (unit == "microsecond") return 1e-6;
    if (unit == "nanosecond") return 1e-9;
    return 0;
}

/// Takes numbers and characters off the front of a text.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool done() const { return text_.empty(); }
    bool next_is_digit() const {
        return !text_.empty() && std::isdigit(static_cast<unsigned char>(text_.front())) != 0;
    }
    std::size_t n_digits() const { return std::min(text_.find_first_not_of("0123456789"), text_.size()); }
    bool skip(std::string_view word) {
        if (!text_.starts_with(word)) return false;
        text_.remove_prefix(word.size());
        return true;
    }
    void skip_spaces() {
        while (skip(" ")) continue;
    }
    /// A whole number without a sign, of 1 to 4 digits.
    std::optional<int> number() {
        const std::size_t n = n_digits();
        if (n < 1 || n > 4) return std::nullopt;
        int value = 0;
        std::from_chars(text_.data(), text_.data() + n, value);
        text_.remove_prefix(n);
        return value;
    }
    /// What follows a decimal point.
    double fraction() {
        double value = 0;
        double digit_value = 0.1;
        for (std::size_t n = n_digits(); n > 0; --n, digit_value /= 10) {
            value += digit_value * (text_.front() - '0');
            text_.remove_prefix(1);
        }
        return value;
    }

  private:
    std::string_view text_;
};

std::optional<double> scan_day(Scanner& text) {
    const auto year = text.number();
    if (!year || !text.skip("-")) return std::nullopt;
    const auto month = text.number();
    if (!month || !text.skip("-")) return std::nullopt;
    const auto day = text.number();
    if (!day) return std::nullopt;
    char iso[48];
    std::snprintf(iso, sizeof iso, "%04d-%02d-%02d", *year, *month, *day);
    const auto date = parse_date(iso);
    return date ? std::optional(static_cast<double>(date->seconds)) : std::nullopt;
}

/// h[:m[:s[.f]]] in seconds.
std::optional<double> scan_clock(Scanner& text) {
    std::array<int, 3> parts = {0, 0, 0};
    const std::array<int, 3> most = {24, 59, 60};  // 60: a leap second
    double fraction = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto part = text.number();
        if (!part || *part > most[i]) return std::nullopt;
        parts[i] = *part;
        if (i == 2 && text.skip(".")) fraction = text.fraction();
        if (i == 2 || !text.skip(":")) break;
    }
    return parts[0] * 3600 + parts[1] * 60 + parts[2] + fraction;
}

/// What has to be taken off for UTC: Z, UTC, GMT, [+-]h[h][:mm], [+-]hhmm; UDUNITS takes no sign for a plus.
std::optional<double> scan_zone(Scanner& text) {
    if (text.done() || text.skip("Z") || text.skip("UTC") || text.skip("GMT")) return 0;
    const int sign = text.skip("-") ? -1 : 1;
    if (sign == 1) text.skip("+");
    if (text.n_digits() > 2) {
        const auto digits = text.number();
        return digits ? std::optional(sign * (*digits / 100 * 3600.0 + *digits % 100 * 60.0)) : std::nullopt;
    }
    const auto clock = scan_clock(text);
    return clock ? std::optional(sign * *clock) : std::nullopt;
}

/// The epoch of a CF unit in seconds since 1970. It is laxer than ISO 8601: "1970-1-1", "1970-01-01 6:00:00",
/// "1970-01-01 00:00:00.0 UTC", "1970-01-01T00:00 +2". Text that is left over may change what is meant.
std::optional<double> parse_epoch(const std::string& epoch) {
    Scanner text(epoch);
    text.skip_spaces();
    auto seconds = scan_day(text);
    if (!seconds) {  // the compact forms
        const auto date = parse_date(epoch);
        return date ? std::optional(static_cast<double>(date->seconds)) : std::nullopt;
    }
    if (!text.skip("T")) text.skip_spaces();
    if (text.next_is_digit()) {
        const auto clock = scan_clock(text);
        if (!clock) return std::nullopt;
        *seconds += *clock;
    }
    text.skip_spaces();
    const auto zone = scan_zone(text);
    text.skip_spaces();
    return zone && text.done() ? std::optional(*seconds - *zone) : std::nullopt;
}

}  // namespace

CfTime::CfTime(const std::string& units, const std::string& calendar) : units_(units), calendar_(calendar) {
    const std::size_t since = lower_case(units).find(" since ");
    if (since == std::string::npos) return;
    is_time_ = true;
    unit_ = unit_seconds(units.substr(0, since));
    epoch_ = parse_epoch(units.substr(since + 7));
}

std::string CfTime::problem() const {
    if (!is_time_) return "";
    if (!parse_cf_calendar(calendar_)) {
        return "the calendar of its time is '" + calendar_ +
               "', expected standard, gregorian, proleptic_gregorian, noleap or 365_day";
    }
    if (unit_ == 0 || !epoch_) {
        return "the units of its time are '" + units_ +
               "', expected weeks, days, hours, minutes or seconds since a date";
    }
    return "";
}

std::optional<Date> CfTime::date(double value) const {
    if (!is_time_ || !problem().empty() || !std::isfinite(value)) return std::nullopt;
    constexpr double kMostSeconds = 12000 * 366.0 * 86400;  // from any epoch to any year that a date may have
    const double since_epoch = value * unit_;
    if (!(std::abs(since_epoch) <= kMostSeconds)) return std::nullopt;
    const CfCalendar calendar = *parse_cf_calendar(calendar_);
    const double in_calendar = seconds_in_calendar(calendar, *epoch_) + since_epoch;
    const double since_1970 = std::round(seconds_of_name(calendar, in_calendar));
    const auto seconds = static_cast<std::int64_t>(since_1970);
    if (!has_iso_year(seconds)) return std::nullopt;
    return Date{seconds, seconds % 86400 != 0};
}

CfDate cf_time_of_band(GDALDatasetH dataset, GDALRasterBandH band) {
    const auto attribute = [&](const std::string& name) {
        const char* text = GDALGetMetadataItem(dataset, name.c_str(), nullptr);
        return std::string(text != nullptr ? text : "");
    };
    for (const std::string name : {"time", "t", "timestamp"}) {
        const char* value = GDALGetMetadataItem(band, ("NETCDF_DIM_" + name).c_str(), nullptr);
        const std::string units = attribute(name + "#units");
        if (value == nullptr || units.empty()) continue;
        const CfTime time(units, attribute(name + "#calendar"));
        return {time.date(std::strtod(value, nullptr)), time.problem()};
    }
    return {};
}

}  // namespace rastertide
