// SPDX-License-Identifier: Apache-2.0
// Dates: the input is a -dates file. Its first three lines are also units, calendar and value of a CF time,
// or a regex and the texts that it is to find a date in; each line is also a date, and a file's name.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <rastertide/read/dates.hpp>

#include "fuzz/fuzz_target.hpp"
#include "read/cf_time.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::fuzzing;

void require_readable(const std::optional<Date>& date) {
    if (!date) return;
    const std::optional<Date> again = parse_date(date->iso());
    require(again.has_value() && *again == *date, "a date's ISO 8601 form is that date");
}

void try_cf_time(const std::string& units, const std::string& calendar, const std::string& value) {
    const CfTime time(units, calendar);
    const std::optional<Date> date = time.date(std::strtod(value.c_str(), nullptr));
    require(!date || time.problem().empty(), "a time with a problem has no date");
    require_readable(date);
}

/// Repetitions of repetitions take exponential time, which is their author's business: a few only.
void try_regex(const std::string& whole, const std::string& text) {
    constexpr std::size_t kMostRegex = 14, kMostText = 20;
    constexpr int kMostRepetitions = 2;
    const std::string regex = whole.substr(0, kMostRegex);
    const auto is_repetition = [](char c) {
        return std::string_view("*+?{").find(c) != std::string_view::npos;
    };
    if (regex.empty() || std::count_if(regex.begin(), regex.end(), is_repetition) > kMostRepetitions) return;
    is_accepted([&] { require_readable(date_from_text(text.substr(0, kMostText), regex)); });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = text_of(data, size);
    std::vector<std::string> lines = lines_of(text);
    for (const std::string& line : lines) {
        require_readable(parse_date(line));
        require_readable(date_from_filename(line));
    }
    lines.resize(std::max<std::size_t>(3, lines.size()));
    try_cf_time(lines[0], lines[1], lines[2]);
    try_regex(lines[0], lines[1]);
    try_regex("([0-9]{8})", lines[2]);

    static InputFile file("dates.txt");
    file.write(text);
    is_accepted([&] {
        for (const Date& date : read_dates_file(file.path())) require_readable(date);
    });
    return 0;
}
