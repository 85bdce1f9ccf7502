// SPDX-License-Identifier: Apache-2.0
#include "common/args.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include <boost/program_options.hpp>
#include <boost/token_functions.hpp>

namespace rastertide::utils {
namespace {

namespace po = boost::program_options;

constexpr const char* kInput = "input";  // the key under which the parser collects the inputs

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

[[noreturn]] void fail_unknown(const std::string& word, const std::vector<OptionSpec>& options) {
    const std::string name = word.substr(word.find_first_not_of('-'));
    const auto nearest = std::min_element(options.begin(), options.end(), [&](const auto& a, const auto& b) {
        return edit_distance(name, a.name) < edit_distance(name, b.name);
    });
    const bool close = nearest != options.end() && edit_distance(name, nearest->name) <= 1 + name.size() / 4;
    throw UsageError("unknown option '" + word + "'" +
                     (close ? "; did you mean '-" + nearest->name + "'?" : "; --help lists the options"));
}

bool is_option(const std::string& word) {
    const std::size_t first = word.find_first_not_of('-');
    return (first == 1 || first == 2) && std::isdigit(static_cast<unsigned char>(word[first])) == 0 &&
           word[first] != '.';
}

/// Takes the next option with exactly its number of values, or one input. The default styles of
/// Boost.Program_options would read
/// `-overwrite` as `-o verwrite` and a typo as another option, and take inputs for values.
std::vector<po::option> take_next(std::vector<std::string>& words, const std::vector<OptionSpec>& options,
                                  bool& options_ended) {
    const std::string word = words.front();
    words.erase(words.begin());
    const auto item = [](const std::string& key, const std::string& value) {
        po::option option;
        option.string_key = key;
        option.value = {value};
        return option;
    };
    if (word == "--" && !options_ended) {
        options_ended = true;
        return words.empty() ? std::vector<po::option>{} : take_next(words, options, options_ended);
    }
    if (options_ended || !is_option(word)) return {item(kInput, word)};
    const std::string name = word.substr(word.find_first_not_of('-'));
    const auto spec =
        std::find_if(options.begin(), options.end(), [&](const auto& option) { return option.name == name; });
    if (spec == options.end()) fail_unknown(word, options);
    if (static_cast<int>(words.size()) < spec->arity) {
        throw UsageError("option '-" + name + "' needs " + spec->values + ": " +
                         std::to_string(words.size()) + " of " + std::to_string(spec->arity) +
                         " values are there");
    }
    if (spec->arity == 0) return {item(name, "")};
    std::vector<po::option> taken;
    for (int i = 0; i < spec->arity; ++i) taken.push_back(item(name, words[static_cast<std::size_t>(i)]));
    words.erase(words.begin(), words.begin() + spec->arity);
    return taken;
}

std::vector<std::string> words_of_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw UsageError("--optfile '" + path + "': cannot read it");
    std::vector<std::string> words;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') continue;
        try {
            const std::vector<std::string> more = po::split_unix(line);
            words.insert(words.end(), more.begin(), more.end());
        } catch (const boost::escaped_list_error& error) {
            throw UsageError("--optfile '" + path + "': cannot split '" + line + "': " + error.what());
        }
    }
    return words;
}

std::vector<std::string> expand_optfiles(const std::vector<std::string>& words) {
    std::vector<std::string> expanded;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] != "--optfile" && words[i] != "-optfile") {
            expanded.push_back(words[i]);
            continue;
        }
        if (++i == words.size()) throw UsageError("option '--optfile' needs a file");
        const std::vector<std::string> more = words_of_file(words[i]);
        expanded.insert(expanded.end(), more.begin(), more.end());
    }
    return expanded;
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

}  // namespace

Args Args::parse(const std::vector<OptionSpec>& options, const std::vector<std::string>& words) {
    const std::vector<std::string> expanded = expand_optfiles(words);
    po::options_description description;
    for (const OptionSpec& option : options) {
        description.add_options()(option.name.c_str(), po::value<std::vector<std::string>>()->composing());
    }
    description.add_options()(kInput, po::value<std::vector<std::string>>()->composing());

    Args args;
    bool options_ended = false;
    po::variables_map map;
    const auto parsed = po::command_line_parser(expanded)
                            .options(description)
                            .extra_style_parser([&](std::vector<std::string>& left) {
                                return take_next(left, options, options_ended);
                            })
                            .run();
    po::store(parsed, map);
    for (const auto& [name, value] : map) {
        (name == kInput ? args.inputs_ : args.values_[name]) = value.as<std::vector<std::string>>();
    }
    for (const OptionSpec& option : options) {
        const auto given = args.values_.find(option.name);
        if (given == args.values_.end() || option.repeatable) continue;
        if (static_cast<int>(given->second.size()) > std::max(1, option.arity)) {
            throw UsageError("option '-" + option.name + "' is given more than once");
        }
    }
    return args;
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
