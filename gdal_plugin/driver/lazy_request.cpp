// SPDX-License-Identifier: Apache-2.0
#include "driver/lazy_request.hpp"

#include <algorithm>
#include <array>
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

bool starts_with_prefix(const std::string& name) {
    return EQUALN(name.c_str(), kPrefix, std::strlen(kPrefix));
}

bool has_extension(const std::string& name) { return EQUAL(CPLGetExtension(name.c_str()), kExtension); }

const OptionSpec* find_option(const std::vector<OptionSpec>& options, const std::string& name) {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const OptionSpec& option) { return option.name == name; });
    return found == options.end() ? nullptr : &*found;
}

/// Values of an option in one text: several have commas between, as no file or CRS name may be cut.
Args::Values split_values(const std::string& name, const std::string& text) {
    static const std::vector<OptionSpec> kOptions = utils::lazy_option_specs();
    const OptionSpec* option = find_option(kOptions, name);
    const bool is_list =
        option != nullptr && (option->arity > 1 || name == "b" || name == "dataset" || name == "mask");
    if (!is_list) return {text};
    const CPLStringList words(CSLTokenizeString2(text.c_str(), ", ", CSLT_HONOURSTRINGS));
    return {words.List(), words.List() + words.Count()};
}

std::string unescaped(const std::string& text) {
    char* plain = CPLUnescapeString(text.c_str(), nullptr, CPLES_URL);
    const std::string result = plain;
    CPLFree(plain);
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
        for (std::string& part : split_values(name, value)) stack.options[name].push_back(std::move(part));
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

LazyStack parse_name(const std::string& name) {
    if (!starts_with_prefix(name)) return read_file(name);
    const std::string text = name.substr(std::strlen(kPrefix));
    const LazyStack stack = parse_connection(text);
    if (stack.inputs.size() != 1 || !has_extension(stack.inputs.front())) return stack;
    LazyStack file = read_file(stack.inputs.front());
    for (const auto& [option, values] : stack.options) file.options[option] = values;
    return file;
}

int thread_number(const Args& args) {
    const std::string text = args.get("num_threads", CPLGetConfigOption("GDAL_NUM_THREADS", "ALL_CPUS"));
    if (EQUAL(text.c_str(), "ALL_CPUS")) return 0;
    const Args only = Args::of(utils::lazy_option_specs(), {{"num_threads", {text}}}, {});
    const std::int64_t n = only.integer("num_threads", 0);
    if (n < 1 || n > 4096) throw UsageError("-num_threads '" + text + "': expected 1 or more, or ALL_CPUS");
    return static_cast<int>(n);
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

bool is_lazy_name(const std::string& name, const std::string& first_bytes) {
    return starts_with_prefix(name) || (has_extension(name) && first_bytes.find('{') != std::string::npos);
}

LazyRequest parse_request(const std::string& name, const std::vector<std::string>& open_options) {
    LazyStack stack = parse_name(name);
    for (const std::string& item : open_options) {
        const std::size_t equals = item.find('=');
        if (equals == std::string::npos) throw UsageError("open option '" + item + "': expected NAME=VALUE");
        const std::string option = CPLString(item.substr(0, equals)).tolower();
        stack.options[option] = split_values(option, item.substr(equals + 1));
    }
    return make_request(Args::of(utils::lazy_option_specs(), stack.options, stack.inputs));
}

std::string with_product(const std::string& name, const std::string& product) {
    std::string base = starts_with_prefix(name) ? name : kPrefix + name;
    const std::size_t question = base.find('?');
    if (question == std::string::npos) return base + "?product=" + product;
    const CPLStringList items(CSLTokenizeString2(base.c_str() + question + 1, "&", 0));
    std::string result = base.substr(0, question) + "?product=" + product;
    for (int i = 0; i < items.Count(); ++i) {
        if (!EQUALN(items[i], "product=", std::strlen("product="))) result += std::string("&") + items[i];
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
