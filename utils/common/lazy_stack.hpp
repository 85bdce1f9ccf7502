// SPDX-License-Identifier: Apache-2.0
// A stack with a product that is computed when it is read: what a .rastertide file says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/args.hpp"

namespace rastertide::utils {

/// Names are those of the utilities' options; see lazy_option_specs().
struct LazyStack {
    std::map<std::string, Args::Values> options;
    std::vector<std::string> inputs;
};

/// The options that such a stack may have: the utilities' of stacks and of LOF, and those of the GDAL driver.
std::vector<OptionSpec> lazy_option_specs();

/// What a command line says of a stack, LOF and its threshold; names of files are made absolute, so that the
/// text may lie anywhere.
LazyStack lazy_stack_of(const Args& args);

/// JSON: {"software": "Rastertide", "version": ..., "inputs": [...], "options": {"patch": "7", ...}}
std::string lazy_stack_json(const LazyStack& stack);

/// Reads such a text. Options may be strings, numbers, true or false, and arrays of these.
/// @param where  for messages
/// @throws UsageError  naming the field, what it holds and what is expected
LazyStack parse_lazy_stack(const std::string& text, const std::string& where);

}  // namespace rastertide::utils
