// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>

#include <rastertide/core/error.hpp>
#include <rastertide/read/dates.hpp>

#include "read/date_range.hpp"

namespace rastertide {
namespace {

/// Takes characters off the front of a text.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool done() const { return text_.empty(); }
    bool skip(char c) {
        if (text_.empty() || text_.front() != c) return false;
        text_.remove_prefix(1);
        return true;
    }
    /// Exactly `n` digits.
    std::optional<int> digits(std::size_t n) {
        if (n_digits() < n) return std::nullopt;
        int value = 0;
        for (const char c : text_.substr(0, n)) value = value * 10 + (c - '0');
        text_.remove_prefix(n);
        return value;
    }
    std::size_t n_digits() const {
        std::size_t n = 0;
        while (n < text_.size() && std::isdigit(static_cast<unsigned char>(text_[n])) != 0) ++n;
        return n;
    }
    void skip_digits() { text_.remove_prefix(n_digits()); }

  private:
    std::string_view text_;
};

constexpr std::int64_t kDaySeconds = 86400;

std::optional<std::int64_t> seconds_of_day(int year, int month, int day) {
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return std::nullopt;
    return std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * kDaySeconds;
}

std::optional<std::int64_t> seconds_of_year_day(int year, int day_of_year) {
    const auto first = seconds_of_day(year, 1, 1);
    const int n_days = std::chrono::year(year).is_leap() ? 366 : 365;
    if (!first || day_of_year < 1 || day_of_year > n_days) return std::nullopt;
    return *first + (day_of_year - 1) * kDaySeconds;
}

/// YYYY-MM-DD, YYYY:MM:DD, YYYY/MM/DD, YYYYMMDD or YYYYDDD.
std::optional<std::int64_t> scan_day(Scanner& scanner) {
    const std::size_t n = scanner.n_digits();
    const bool compact = n == 8 || n == 7;
    if (!compact && n != 4) return std::nullopt;
    const int year = *scanner.digits(4);
    if (n == 7) return seconds_of_year_day(year, *scanner.digits(3));
    const auto separated = [&] {
        return compact || scanner.skip('-') || scanner.skip(':') || scanner.skip('/');
    };
    if (!separated()) return std::nullopt;
    const auto month = scanner.digits(2);
    if (!month || !separated()) return std::nullopt;
    const auto day = scanner.digits(2);
    if (!day) return std::nullopt;
    return seconds_of_day(year, *month, *day);
}

/// hh:mm[:ss[.f]] or hhmm[ss].
std::optional<std::int64_t> scan_time(Scanner& scanner) {
    const auto hour = scanner.digits(2);
    const bool colons = scanner.skip(':');
    const auto minute = scanner.digits(2);
    if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    int second = 0;
    if (colons ? scanner.skip(':') : scanner.n_digits() > 0) {
        const auto digits = scanner.digits(2);
        if (!digits || *digits > 60) return std::nullopt;  // 60: a leap second
        second = *digits;
        if (scanner.skip('.')) scanner.skip_digits();
    }
    return *hour * 3600 + *minute * 60 + second;
}

/// Z, +hh:mm or -hhmm: seconds to be subtracted for UTC.
std::optional<std::int64_t> scan_offset(Scanner& scanner) {
    if (scanner.done() || scanner.skip('Z')) return 0;
    const int sign = scanner.skip('+') ? 1 : scanner.skip('-') ? -1 : 0;
    if (sign == 0) return std::nullopt;
    const auto hours = scanner.digits(2);
    scanner.skip(':');
    const auto minutes = scanner.done() ? std::optional<int>(0) : scanner.digits(2);
    if (!hours || !minutes) return std::nullopt;
    return sign * (*hours * 3600 + *minutes * 60);
}

/// What connection strings hold in quotes: HDF5:"a_20200101.h5"://group/data. File names may have quotes,
/// too.
std::string quoted_or_whole(const std::string& text) {
    const std::size_t open = text.find(":\"");
    const std::size_t close = open == std::string::npos ? open : text.find('"', open + 2);
    return close == std::string::npos ? text : text.substr(open + 2, close - open - 2);
}

std::string file_stem(const std::string& path) {
    const std::size_t slash = path.find_last_of("/\\");
    std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    const std::size_t dot = name.find_last_of('.');
    return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

/// std::regex calls itself for each character of a pattern and of a text: longer ones could end the stack.
constexpr std::size_t kMostSearched = 1024;

std::regex compile(const std::string& pattern) {
    if (pattern.size() > kMostSearched) {
        throw InvalidArgument("-date_regex has " + std::to_string(pattern.size()) + " characters, expected " +
                              std::to_string(kMostSearched) + " at most");
    }
    try {
        return std::regex(pattern);
    } catch (const std::regex_error& error) {
        throw InvalidArgument("-date_regex '" + pattern + "' is not a regular expression: " + error.what());
    }
}

std::optional<Date> first_match(const std::string& text, const std::regex& pattern, int group) {
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
        if (auto date = parse_date((*match)[static_cast<std::size_t>(group)].str())) return date;
    }
    return std::nullopt;
}

/// Where a first date in a name is not the acquisition's, or no number of its own.
struct NameRule {
    const char* pattern;
    const char* date;  ///< of the match's groups, as parse_date() reads it
};
constexpr NameRule kNameRules[] = {
    // MODIS and VIIRS: acquisition (A), later the processing. Swaths have a time.
    {"\\.A([0-9]{7})\\.([0-9]{4})\\.", "$1T$2"},
    {"\\.A([0-9]{7})(?![0-9])", "$1"},
    // AppEEARS: day of year and a time, which is always 0.
    {"_doy([0-9]{7})(?:[0-9]{6})?(?![0-9])", "$1"},
    // Landsat before its collections: sensor, path, row, day of year, station.
    {"^L[A-Z][1-9][0-9]{6}([0-9]{7})[A-Z]{3}[0-9]{2}", "$1"},
    // Sentinel-2 until 2016: processing first, then the sensing time (V).
    {"^S2[A-D]_OPER_.*_V([0-9]{8}T[0-9]{6})", "$1"},
    // ASTER: version, then month before year; the second number is of the processing.
    {"^AST_[0-9A-Z]+_[0-9]{3}([0-9]{2})([0-9]{2})([0-9]{4})([0-9]{6})_", "$3$1$2T$4"}};

std::optional<Date> date_by_product(const std::string& name) {
    static const std::vector<std::regex> kPatterns = [] {
        std::vector<std::regex> patterns;
        for (const NameRule& rule : kNameRules) patterns.emplace_back(rule.pattern);
        return patterns;
    }();
    for (std::size_t i = 0; i < kPatterns.size(); ++i) {
        std::smatch match;
        if (!std::regex_search(name, match, kPatterns[i])) continue;
        if (auto date = parse_date(match.format(kNameRules[i].date))) return date;
    }
    return std::nullopt;
}

/// A day of the years 1900-2199 that is not part of a longer number, with the time if one follows; `-`, `_`
/// and `.` may stand between the parts of the day.
std::optional<Date> find_date(const std::string& text) {
    const std::string name = text.substr(0, kMostSearched);
    static const std::regex kDay(
        "(?:^|[^0-9])((?:19|20|21)[0-9]{2})(?:([-_.])([0-9]{2})\\2([0-9]{2})|([0-9]{2})([0-9]{2}))"
        "(?:[Tt]([0-9]{6})|[Tt]([0-9]{4}))?(?![0-9])");
    static const std::regex kYearDay("(?:^|[^0-9])((?:19|20|21)[0-9]{5}(?:T[0-9]{6})?)(?![0-9])");
    // Letters before or after it: a day of year with a time, or a key.
    static const std::regex kOneNumber(
        "(?:^|[^0-9A-Za-z])((?:19|20|21)[0-9]{6})([0-9]{6}|[0-9]{4})(?![0-9A-Za-z])");
    if (auto date = date_by_product(name)) return date;
    for (std::sregex_iterator match(name.begin(), name.end(), kDay), end; match != end; ++match) {
        const std::smatch& m = *match;
        const std::string day = m[1].str() + m[3].str() + m[5].str() + m[4].str() + m[6].str();
        const std::string time = m[7].str() + m[8].str();
        if (auto date = parse_date(time.empty() ? day : day + "T" + time)) return date;
        if (auto date = parse_date(day)) return date;
    }
    if (auto date = first_match(name, kYearDay, 1)) return date;
    std::smatch match;
    return std::regex_search(name, match, kOneNumber) ? parse_date(match.format("$1T$2")) : std::nullopt;
}

/// The name of the innermost folder that is a Sentinel product; its metadata files bear no date.
std::string product_folder(const std::string& path) {
    static const std::regex kSafe("([^/\\\\]*)\\.SAFE[/\\\\](?!.*\\.SAFE[/\\\\])");
    std::smatch match;
    return std::regex_search(path, match, kSafe) ? match[1].str() : "";
}

/// What a message can show of any file's text.
std::string excerpt(const std::string& text) {
    constexpr std::size_t kMost = 40;
    std::string shown = text.substr(0, kMost);
    std::replace_if(
        shown.begin(), shown.end(), [](unsigned char c) { return std::isprint(c) == 0; }, '?');
    return text.size() > kMost ? shown + "..." : shown;
}

std::optional<Date> date_in_line(const std::string& line) {
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ',');) {
        const std::size_t first = field.find_first_not_of(" \t\r\"");
        if (first == std::string::npos) continue;
        const std::size_t last = field.find_last_not_of(" \t\r\"");
        if (auto date = parse_date(field.substr(first, last - first + 1))) return date;
    }
    return std::nullopt;
}

}  // namespace

std::string Date::iso() const {
    const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    std::array<char, 80> text{};
    int n = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    if (has_time) {
        n += std::snprintf(text.data() + n, text.size() - static_cast<std::size_t>(n), "T%02d:%02d:%02dZ",
                           static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                           static_cast<int>(clock.seconds().count()));
    }
    return {text.data(), static_cast<std::size_t>(n)};
}

std::optional<Date> parse_date(std::string_view text) {
    Scanner scanner(text);
    const auto day = scan_day(scanner);
    if (!day) return std::nullopt;
    if (scanner.done()) return Date{*day, false};
    if (!scanner.skip('T') && !scanner.skip(' ')) return std::nullopt;
    const auto time = scan_time(scanner);
    if (!time) return std::nullopt;
    const auto offset = scan_offset(scanner);
    if (!offset || !scanner.done()) return std::nullopt;
    const std::int64_t seconds = *day + *time - *offset;
    return has_iso_year(seconds) ? std::optional(Date{seconds, true}) : std::nullopt;
}

std::optional<Date> date_from_filename(const std::string& path, const std::string& regex) {
    const std::string file = quoted_or_whole(path);
    const std::string name = file_stem(file);
    if (!regex.empty()) return date_from_text(name, regex);
    const auto date = find_date(name);
    const bool is_searched = file.size() <= kMostSearched;
    return date || !is_searched ? date : find_date(product_folder(file));
}

std::optional<Date> date_from_text(const std::string& text, const std::string& regex) {
    const std::regex pattern = compile(regex);
    return first_match(text.substr(0, kMostSearched), pattern, pattern.mark_count() > 0 ? 1 : 0);
}

std::vector<Date> read_dates_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw IoError("'" + path + "': cannot read the dates file");
    std::vector<Date> dates;
    std::string line;
    for (int i_line = 1; std::getline(file, line); ++i_line) {
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first == std::string::npos || line[first] == '#') continue;
        const auto date = date_in_line(line);
        if (!date) {
            throw InvalidArgument("'" + path + "', line " + std::to_string(i_line) + ": '" + excerpt(line) +
                                  "' holds no date; expected YYYY-MM-DD or another ISO 8601 form");
        }
        dates.push_back(*date);
    }
    return dates;
}

}  // namespace rastertide
