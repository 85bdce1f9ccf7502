// SPDX-License-Identifier: Apache-2.0
// Command lines: what Boost.Program_options is for.
#include <algorithm>
#include <cctype>
#include <fstream>

#include <boost/program_options.hpp>
#include <boost/token_functions.hpp>

#include "common/args.hpp"

namespace rastertide::utils {
namespace {

namespace po = boost::program_options;

constexpr const char* kInput = "input";  // the key under which the parser collects the inputs

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
    if (spec == options.end()) fail_unknown_option(word, options);
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
    args.check_repeated(options);
    return args;
}

}  // namespace rastertide::utils
