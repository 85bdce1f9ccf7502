// SPDX-License-Identifier: Apache-2.0
#include "common/args.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

namespace rastertide::utils {
namespace {

/// Edits that turn one word into the other (Levenshtein).
std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

template <class Number>
Number parse_number(const std::string& name, const std::string& text, const char* expected) {
    Number value{};
    const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
    const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
        throw UsageError("-" + name + " '" + text + "': expected " + expected);
    }
    return value;
}

double parse_double(const std::string& name, const std::string& text) {
    if (text == "nan" || text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    return parse_number<double>(name, text, "a number");
}

std::int64_t parse_integer(const std::string& name, const std::string& text) {
    return parse_number<std::int64_t>(name, text, "a whole number");
}

/// Of an option without values, where each has one.
bool is_yes(const std::string& name, const std::vector<std::string>& given) {
    const std::string word = given.empty() ? "" : given.front();
    for (const char* yes : {"", "yes", "true", "on", "1", "YES", "TRUE", "ON"}) {
        if (word == yes) return true;
    }
    for (const char* no : {"no", "false", "off", "0", "NO", "FALSE", "OFF"}) {
        if (word == no) return false;
    }
    throw UsageError("-" + name + " '" + word + "': expected yes or no");
}

}  // namespace

void fail_unknown_option(const std::string& word, const std::vector<OptionSpec>& options) {
    const std::string name = word.substr(word.find_first_not_of('-'));
    const auto nearest = std::min_element(options.begin(), options.end(), [&](const auto& a, const auto& b) {
        return edit_distance(name, a.name) < edit_distance(name, b.name);
    });
    const bool close = nearest != options.end() && edit_distance(name, nearest->name) <= 1 + name.size() / 4;
    throw UsageError("unknown option '" + word + "'" +
                     (close ? "; did you mean '-" + nearest->name + "'?" : "; --help lists the options"));
}

Args Args::of(const std::vector<OptionSpec>& options, const std::map<std::string, Values>& values,
              Values inputs) {
    Args args;
    args.inputs_ = std::move(inputs);
    for (const auto& [name, given] : values) {
        const auto spec = std::find_if(options.begin(), options.end(),
                                       [&](const OptionSpec& option) { return option.name == name; });
        if (spec == options.end()) fail_unknown_option("-" + name, options);
        if (spec->arity == 0) {
            if (is_yes(name, given)) args.values_[name] = {""};
            continue;
        }
        if (given.empty() || given.size() % static_cast<std::size_t>(spec->arity) != 0) {
            throw UsageError("option '-" + name + "' has " + std::to_string(given.size()) +
                             " values, expected " + spec->values);
        }
        args.values_[name] = given;
    }
    args.check_repeated(options);
    return args;
}

void Args::check_repeated(const std::vector<OptionSpec>& options) const {
    for (const OptionSpec& option : options) {
        const auto given = values_.find(option.name);
        if (given == values_.end() || option.repeatable) continue;
        if (static_cast<int>(given->second.size()) > std::max(1, option.arity)) {
            throw UsageError("option '-" + option.name + "' is given more than once");
        }
    }
}

std::vector<std::string> Args::all(const std::string& name) const {
    const auto given = values_.find(name);
    return given == values_.end() ? std::vector<std::string>{} : given->second;
}

std::optional<std::string> Args::get(const std::string& name) const {
    const auto given = values_.find(name);
    if (given == values_.end()) return std::nullopt;
    return given->second.front();
}

std::string Args::get(const std::string& name, const std::string& otherwise) const {
    return get(name).value_or(otherwise);
}

std::int64_t Args::integer(const std::string& name, std::int64_t otherwise) const {
    const auto text = get(name);
    return text ? parse_integer(name, *text) : otherwise;
}

double Args::number(const std::string& name, double otherwise) const {
    const auto text = get(name);
    return text ? parse_double(name, *text) : otherwise;
}

std::vector<std::int64_t> Args::integers(const std::string& name) const {
    std::vector<std::int64_t> values;
    for (const std::string& text : all(name)) values.push_back(parse_integer(name, text));
    return values;
}

std::vector<double> Args::numbers(const std::string& name) const {
    std::vector<double> values;
    for (const std::string& text : all(name)) values.push_back(parse_double(name, text));
    return values;
}

std::int64_t Args::bytes(const std::string& name, std::int64_t otherwise) const {
    const auto text = get(name);
    if (!text) return otherwise;
    const std::size_t unit_at = std::min(text->find_first_not_of("0123456789."), text->size());
    double amount = -1;
    const char* end_of_amount = text->data() + unit_at;
    const auto [end, error] = std::from_chars(text->data(), end_of_amount, amount);
    if (error != std::errc() || end != end_of_amount) amount = -1;
    std::string unit = text->substr(unit_at);
    std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::toupper(c); });
    const std::map<std::string, int> shifts = {{"", 0},     {"B", 0},   {"K", 10},   {"KB", 10}, {"KIB", 10},
                                               {"M", 20},   {"MB", 20}, {"MIB", 20}, {"G", 30},  {"GB", 30},
                                               {"GIB", 30}, {"T", 40},  {"TB", 40},  {"TIB", 40}};
    const auto shift = shifts.find(unit);
    const double value = shift == shifts.end() ? -1 : std::ldexp(amount, shift->second);
    if (!(value >= 1 && value < 0x1p62)) {
        throw UsageError("-" + name + " '" + *text + "': expected a size such as 512MB or 4GB");
    }
    return static_cast<std::int64_t>(value);
}

}  // namespace rastertide::utils
