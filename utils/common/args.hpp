// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace rastertide::utils {

/// The user's command line cannot be understood: exit code 2.
class UsageError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// An option as the help shows it and the parser takes it. Options take one or two dashes and exactly `arity`
/// values.
struct OptionSpec {
    std::string name;
    int arity = 0;
    std::string values;  ///< as the help shows them: "ulx uly lrx lry"
    std::string help;
    bool repeatable = false;
};

/// One table of options made of several.
inline std::vector<OptionSpec> joined(const std::vector<std::vector<OptionSpec>>& tables) {
    std::vector<OptionSpec> all;
    for (const std::vector<OptionSpec>& table : tables) all.insert(all.end(), table.begin(), table.end());
    return all;
}

/// The values of a command line, checked against the options that exist.
class Args {
  public:
    /// @param words without the program's name. `--optfile F` is replaced by the words in F; `--` ends the
    /// options.
    /// @throws UsageError  unknown option (with the nearest known one), missing value, an option given twice
    static Args parse(const std::vector<OptionSpec>& options, const std::vector<std::string>& words);

    using Values = std::vector<std::string>;
    /// What parse() makes of the same options on a command line. @param values  by name; an option without
    /// values has "yes", "no" or "". @throws UsageError  as parse()
    static Args of(const std::vector<OptionSpec>& options, const std::map<std::string, Values>& values,
                   Values inputs);
    /// By name, as of() takes them.
    const std::map<std::string, Values>& values() const { return values_; }

    const std::vector<std::string>& inputs() const { return inputs_; }
    bool has(const std::string& name) const { return values_.count(name) > 0; }
    /// All values of an option, of all its occurrences in order; empty if it was not given.
    std::vector<std::string> all(const std::string& name) const;
    /// The value of an option with one.
    std::optional<std::string> get(const std::string& name) const;
    std::string get(const std::string& name, const std::string& otherwise) const;

    /// Numbers. @throws UsageError "-patch seven: expected a whole number"
    std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
    double number(const std::string& name, double otherwise) const;
    std::vector<std::int64_t> integers(const std::string& name) const;
    std::vector<double> numbers(const std::string& name) const;
    /// Bytes: "512MB", "4GB", "4G", "2GiB" or a plain number; the units are powers of 2, as in GDAL_CACHEMAX.
    std::int64_t bytes(const std::string& name, std::int64_t otherwise) const;

  private:
    void check_repeated(const std::vector<OptionSpec>& options) const;

    std::map<std::string, Values> values_;
    Values inputs_;
};

/// @throws UsageError  with the nearest option that there is
[[noreturn]] void fail_unknown_option(const std::string& word, const std::vector<OptionSpec>& options);

}  // namespace rastertide::utils
