// SPDX-License-Identifier: Apache-2.0
#include "common/lazy_stack.hpp"

#include <array>
#include <filesystem>

#include <nlohmann/json.hpp>

#include <rastertide/core/version.hpp>

#include "common/lof_options.hpp"
#include "common/stack_options.hpp"
#include "pipeline/shallow_json.hpp"
#include "read/expand_inputs.hpp"
#include "read/hdf5_name.hpp"

namespace rastertide::utils {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSoftware = "Rastertide";
/// Options that name files.
constexpr std::array kFileOptions = {"dates", "input_file_list", "mask", "model", "summary"};

/// Of `HDF5:"file"://data` and the like the file's part.
std::string absolute_if_there(const std::string& name) {
    const std::string file = parse_hdf5_name(name).file;
    std::error_code error;
    if (file.empty() || !std::filesystem::exists(file, error)) return name;
    std::string text = name;
    return text.replace(text.find(file), file.size(),
                        std::filesystem::absolute(file).lexically_normal().string());
}

[[noreturn]] void fail(const std::string& where, const std::string& field, const std::string& found,
                       const std::string& expected) {
    throw UsageError("'" + where + "': " + field + " is " + found + ", expected " + expected);
}

std::string text_of(const Json& value, const std::string& where, const std::string& field) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    if (value.is_number()) return value.dump();
    fail(where, field, value.type_name(), "a string, a number, true, false or a list of these");
}

Args::Values texts_of(const Json& value, const std::string& where, const std::string& field) {
    if (!value.is_array()) return {text_of(value, where, field)};
    Args::Values texts;
    for (const Json& item : value) texts.push_back(text_of(item, where, field));
    return texts;
}

}  // namespace

std::vector<OptionSpec> lazy_option_specs() {
    return joined(
        {{{"product", 1, "lof|anomaly|anomaly_count|lof_max|lof_max_date|labels",
           "what is computed (default lof)"}},
         lof_option_specs(),
         {threshold_option_spec(),
          {"summary", 1, "FILE", "a summary.json of rastertide_lof, whose threshold is taken"},
          {"sample", 1, "N", "locations that a threshold is estimated from (default 1000)"},
          {"model", 1, "FILE", "centers.json of rastertide_kmeans, for labels"},
          {"budget", 1, "SECONDS",
           "time for a reading at half resolution and below (default 2; 0: as long as it takes)"},
          {"num_threads", 1, "N|ALL_CPUS", "threads that compute (default GDAL_NUM_THREADS, else all)"},
          {"mem", 1, "SIZE", "memory of a computation (default 512MB)"}},
         stack_option_specs()});
}

LazyStack lazy_stack_of(const Args& args) {
    LazyStack stack;
    for (const OptionSpec& option : lazy_option_specs()) {
        if (args.has(option.name)) stack.options[option.name] = args.all(option.name);
    }
    for (const char* name : kFileOptions) {
        if (!args.has(name)) continue;
        for (std::string& file : stack.options[name]) file = absolute_if_there(file);
    }
    std::vector<std::string> inputs = args.inputs();
    if (args.has("input_file_list")) {  // its lines, too, are to hold wherever the text lies
        inputs = expand_inputs(inputs, args.get("input_file_list", ""), Damaged::Keep);
        stack.options.erase("input_file_list");
    }
    for (const std::string& input : inputs) stack.inputs.push_back(absolute_if_there(input));
    return stack;
}

std::string lazy_stack_json(const LazyStack& stack) {
    Json options = Json::object();
    for (const auto& [name, values] : stack.options)
        options[name] = values.size() == 1 ? Json(values.front()) : Json(values);
    const Json json = {
        {"software", kSoftware}, {"version", kVersion}, {"inputs", stack.inputs}, {"options", options}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

LazyStack parse_lazy_stack(const std::string& text, const std::string& where) {
    const Json json = parse_shallow<Json>(text);
    if (!json.is_object()) fail(where, "the text", "no JSON object", "one with inputs and options");
    if (json.value("software", Json()) != kSoftware) {
        fail(where, "\"software\"", json.value("software", Json()).dump(),
             std::string("\"") + kSoftware + "\"");
    }
    const Json options = json.value("options", Json::object());
    if (!options.is_object()) fail(where, "\"options\"", options.type_name(), "an object");
    LazyStack stack;
    for (const auto& [name, value] : options.items())
        stack.options[name] = texts_of(value, where, "option \"" + name + "\"");
    stack.inputs = texts_of(json.value("inputs", Json::array()), where, "\"inputs\"");
    return stack;
}

}  // namespace rastertide::utils
