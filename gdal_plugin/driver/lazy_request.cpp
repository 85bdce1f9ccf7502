// SPDX-License-Identifier: Apache-2.0
#include "driver/lazy_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>

#include <rastertide/core/error.hpp>

#include "common/args.hpp"
#include "common/lazy_stack.hpp"
#include "common/lof_options.hpp"
#include "common/stack_options.hpp"
#include "write/product_layouts.hpp"

namespace rastertide::plugin {
namespace {

using utils::Args;
using utils::LazyStack;
using utils::OptionSpec;
using utils::UsageError;

constexpr std::array kProducts = {kLofProduct, kAnomalyProduct, kCountProduct,
                                  kMaxProduct, kMaxDateProduct, kLabelProduct};

bool has_extension(const std::string& name) { return EQUAL(CPLGetExtension(name.c_str()), kExtension); }

const OptionSpec* find_option(const std::vector<OptionSpec>& options, const std::string& name) {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const OptionSpec& option) { return option.name == name; });
    return found == options.end() ? nullptr : &*found;
}

/// Values of an option in one text: numbers have commas between. Names of files, variables and CRS may hold
/// any character; of these each is given by itself.
Args::Values split_values(const std::string& name, const std::string& text) {
    static const std::vector<OptionSpec> kOptions = utils::lazy_option_specs();
    const OptionSpec* option = find_option(kOptions, name);
    const bool is_list = name == "b" || (option != nullptr && option->arity > 1);
    if (!is_list) return {text};
    const CPLStringList words(CSLTokenizeString2(text.c_str(), ", ", 0));
    return {words.List(), words.List() + words.Count()};
}

void add_values(LazyStack& stack, const std::string& name, const std::string& text) {
    for (std::string& value : split_values(name, text)) stack.options[name].push_back(std::move(value));
}

/// %41 -> A. GDAL's own would make a space of a plus, which names and expressions hold.
std::string unescaped(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        int code = 0;
        const char* digits = text.c_str() + i + 1;
        const auto [end, error] = i + 2 < text.size()
                                      ? std::from_chars(digits, digits + 2, code, 16)
                                      : std::from_chars_result{digits, std::errc::invalid_argument};
        if (error != std::errc() || end != digits + 2 || code == 0)
            throw UsageError("'" + text +
                             "': a % is written %25, other characters as % and two hexadecimal digits");
        plain += static_cast<char>(code);
        i += 2;
    }
    return plain;
}

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (std::strchr("%?&", c) == nullptr || c == '\0') {
            result += c;
        } else {
            result += c == '%' ? "%25" : c == '?' ? "%3F" : "%26";
        }
    }
    return result;
}

/// `STACK[?option=value&...]`. A question mark that is part of a name is written %3F.
LazyStack parse_connection(const std::string& text) {
    LazyStack stack;
    const std::size_t question = text.find('?');
    if (question != 0 && !text.empty()) stack.inputs.push_back(unescaped(text.substr(0, question)));
    if (question == std::string::npos) return stack;
    const CPLStringList items(CSLTokenizeString2(text.c_str() + question + 1, "&", 0));
    for (int i = 0; i < items.Count(); ++i) {
        const std::string item = items[i];
        const std::size_t equals = item.find('=');
        if (equals == std::string::npos)
            throw UsageError("'" + item + "' after the question mark: expected option=value");
        const std::string name = CPLString(item.substr(0, equals)).tolower();
        const std::string value = unescaped(item.substr(equals + 1));
        if (name == "input") {
            stack.inputs.push_back(value);
            continue;
        }
        add_values(stack, name, value);
    }
    return stack;
}

std::string read_whole_file(const std::string& path) {
    constexpr GIntBig kMostBytes = GIntBig{64} << 20;
    GByte* bytes = nullptr;
    vsi_l_offset size = 0;
    CPLErrorReset();
    if (VSIIngestFile(nullptr, path.c_str(), &bytes, &size, kMostBytes) == FALSE)
        throw IoError("'" + path + "': cannot read it: " + CPLGetLastErrorMsg());
    const std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    VSIFree(bytes);
    return text;
}

bool is_there(const std::string& name) {
    VSIStatBufL status;
    return VSIStatExL(name.c_str(), &status, VSI_STAT_EXISTS_FLAG) == 0;
}

/// A name in a .rastertide file, as seen from here.
std::string beside(const std::string& file, const std::string& name) {
    const std::string path = CPLProjectRelativeFilename(CPLGetPath(file.c_str()), name.c_str());
    return is_there(path) ? path : name;
}

LazyStack read_file(const std::string& path) {
    LazyStack stack = utils::parse_lazy_stack(read_whole_file(path), path);
    for (std::string& input : stack.inputs) input = beside(path, input);
    for (const char* name : {"dates", "input_file_list", "mask", "model", "summary"}) {
        const auto found = stack.options.find(name);
        if (found == stack.options.end()) continue;
        for (std::string& file : found->second) file = beside(path, file);
    }
    return stack;
}

/// What a name and open options say; a file stands as the one input.
LazyStack parse_name(const std::string& name, const std::vector<std::string>& open_options) {
    LazyStack stack;
    if (is_connection(name)) {
        stack = parse_connection(name.substr(std::strlen(kPrefix)));
    } else {
        stack.inputs = {name};
    }
    LazyStack more;
    for (const std::string& item : open_options) {
        const std::size_t equals = item.find('=');
        if (equals == std::string::npos) throw UsageError("open option '" + item + "': expected NAME=VALUE");
        add_values(more, CPLString(item.substr(0, equals)).tolower(), item.substr(equals + 1));
    }
    for (const auto& [option, values] : more.options) stack.options[option] = values;
    return stack;
}

bool is_lazy_file(const std::string& name) {
    VSIStatBufL status;
    return has_extension(name) && VSIStatL(name.c_str(), &status) == 0 && !VSI_ISDIR(status.st_mode);
}

/// Options of a name count before those of its file.
LazyStack with_file(LazyStack stack) {
    if (stack.inputs.size() != 1 || !is_lazy_file(stack.inputs.front())) return stack;
    LazyStack file = read_file(stack.inputs.front());
    for (const auto& [option, values] : stack.options) file.options[option] = values;
    return file;
}

/// Ours is one or more, or ALL_CPUS; what GDAL is told for all its drivers counts where it is that.
int thread_number(const Args& args) {
    const std::string text = args.get("num_threads", CPLGetConfigOption("GDAL_NUM_THREADS", "ALL_CPUS"));
    if (EQUAL(text.c_str(), "ALL_CPUS")) return 0;
    int n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error == std::errc() && end == text.data() + text.size() && n >= 1 && n <= 4096) return n;
    if (args.has("num_threads"))
        throw UsageError("-num_threads '" + text + "': expected 1 or more, or ALL_CPUS");
    return 0;
}

std::string product_name(const Args& args) {
    const std::string name = args.get("product", kLofProduct);
    std::string all;
    for (const char* product : kProducts) {
        if (name == product) return name;
        all += (all.empty() ? "" : ", ") + std::string(product);
    }
    throw UsageError("product '" + name + "': expected one of " + all);
}

void take_model(LazyRequest& request, const Args& args) {
    if (!args.has("model"))
        throw UsageError("labels need model=FILE, the centers.json of a rastertide_kmeans run");
    for (const char* name : {"patch", "neighbors", "threshold", "summary", "sample"}) {
        if (args.has(name))
            throw UsageError(std::string("-") + name + ": not with labels, which the model says all of");
    }
    request.model = read_kmeans_model(args.get("model", ""));
    if (args.has("scale") && request.series.scale != request.model->scale) {
        throw UsageError("-scale " + to_string(request.series.scale) + ": the model's is " +
                         to_string(request.model->scale));
    }
    request.series.scale = request.model->scale;
}

LazyRequest make_request(const Args& args) {
    constexpr std::int64_t kDefaultMemory = std::int64_t{512} << 20;
    constexpr std::int64_t kDefaultSample = 1000;
    constexpr double kDefaultBudget = 2;
    LazyRequest request;
    request.series = utils::stack_options(args);
    request.series.cache_bytes = 0;
    request.product = product_name(args);
    request.lof = utils::lof_params(args);
    request.threshold = args.get("threshold", "");
    if (!request.threshold.empty()) Threshold::parse(request.threshold);
    request.summary_file = args.get("summary", "");
    if (!request.threshold.empty() && !request.summary_file.empty())
        throw UsageError("-threshold and -summary: expected one of them");
    request.n_samples = args.integer("sample", kDefaultSample);
    if (request.n_samples < 1)
        throw UsageError("-sample " + std::to_string(request.n_samples) + ": expected 1 or more");
    request.budget_seconds = args.number("budget", kDefaultBudget);
    if (!(request.budget_seconds >= 0)) throw UsageError("-budget: expected 0 or more seconds");
    request.n_threads = thread_number(args);
    request.memory_bytes = args.bytes("mem", kDefaultMemory);
    if (request.product == kLabelProduct) take_model(request, args);
    return request;
}

}  // namespace

bool is_connection(const std::string& name) { return EQUALN(name.c_str(), kPrefix, std::strlen(kPrefix)); }

bool is_lazy_name(const std::string& name, const std::string& first_bytes) {
    if (is_connection(name)) return true;
    const std::size_t first = first_bytes.find_first_not_of(" \t\r\n");
    return has_extension(name) && first != std::string::npos && first_bytes[first] == '{';
}

LazyRequest parse_request(const std::string& name, const std::vector<std::string>& open_options) {
    const LazyStack stack = with_file(parse_name(name, open_options));
    return make_request(Args::of(utils::lazy_option_specs(), stack.options, stack.inputs));
}

std::string with_product(const std::string& name, const std::vector<std::string>& open_options,
                         const std::string& product) {
    LazyStack stack = parse_name(name, open_options);
    stack.options["product"] = {product};
    std::string result = kPrefix;
    char separator = '?';
    for (std::size_t i = 0; i < stack.inputs.size(); ++i) {
        result += i == 0 ? escaped(stack.inputs[i]) : separator + ("input=" + escaped(stack.inputs[i]));
        if (i > 0) separator = '&';
    }
    for (const auto& [option, values] : stack.options) {
        for (const std::string& value : values) {
            result += separator + (option + "=" + escaped(value));
            separator = '&';
        }
    }
    return result;
}

std::string open_option_list() {
    std::string list = "<OpenOptionList>";
    for (const OptionSpec& option : utils::lazy_option_specs()) {
        std::string name = CPLString(option.name).toupper();
        char* help = CPLEscapeString(
            (option.help + (option.values.empty() ? "" : ": " + option.values)).c_str(), -1, CPLES_XML);
        list += "<Option name=\"" + name + "\" type=\"" + (option.arity == 0 ? "boolean" : "string") +
                "\" description=\"" + help + "\"/>";
        CPLFree(help);
    }
    return list + "</OpenOptionList>";
}

}  // namespace rastertide::plugin
