// SPDX-License-Identifier: Apache-2.0
#include "pixel_functions/function_call.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <cpl_string.h>

#include <rastertide/core/error.hpp>

namespace rastertide::plugin {
namespace {

std::optional<double> parse_number(const std::string& text) {
    if (EQUAL(text.c_str(), "nan")) return std::nan("");
    double value = 0;
    const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
    const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

template <class T>
constexpr GDALDataType kTypeOf = sizeof(T) == sizeof(float) ? GDT_Float32 : GDT_Float64;

}  // namespace

FunctionArguments::FunctionArguments(const char* function, const PixelCall& call,
                                     const std::vector<std::string>& known)
    : function_(function), list_(call.arguments) {
    for (char** item = list_; item != nullptr && *item != nullptr; ++item) {
        const std::string name = std::string(*item).substr(0, std::string(*item).find('='));
        const auto is_it = [&](const std::string& other) { return EQUAL(name.c_str(), other.c_str()); };
        if (std::any_of(known.begin(), known.end(), is_it)) continue;
        std::string all;
        for (const std::string& other : known) all += (all.empty() ? "" : ", ") + other;
        fail("an argument", "'" + name + "'", "one of " + all);
    }
}

void FunctionArguments::fail(const std::string& what, const std::string& found,
                             const std::string& expected) const {
    throw InvalidArgument(std::string(function_) + ": " + what + " is " + found + ", expected " + expected);
}

std::string FunctionArguments::text(const char* name, const std::optional<std::string>& otherwise) const {
    const char* value = CSLFetchNameValue(list_, name);
    if (value != nullptr) return value;
    if (!otherwise) fail(std::string("argument '") + name + "'", "not given", "a value");
    return *otherwise;
}

double FunctionArguments::number(const char* name, std::optional<double> otherwise) const {
    if (otherwise && CSLFetchNameValue(list_, name) == nullptr) return *otherwise;
    const std::string given = text(name);
    const std::optional<double> value = parse_number(given);
    if (!value) fail(std::string("argument '") + name + "'", "'" + given + "'", "a number");
    return *value;
}

int FunctionArguments::integer(const char* name, int min, int max, std::optional<int> otherwise) const {
    if (otherwise && CSLFetchNameValue(list_, name) == nullptr) return *otherwise;
    const std::string given = text(name);
    const std::optional<double> value = parse_number(given);
    if (!value || *value != std::floor(*value) || *value < min || *value > max) {
        fail(std::string("argument '") + name + "'", "'" + given + "'",
             "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    }
    return static_cast<int>(*value);
}

std::vector<double> FunctionArguments::numbers(const char* name) const {
    const std::string given = text(name);
    const CPLStringList words(CSLTokenizeString2(given.c_str(), ", ", 0));
    std::vector<double> values;
    for (int i = 0; i < words.Count(); ++i) {
        const std::optional<double> value = parse_number(words[i]);
        if (!value || !std::isfinite(*value))
            fail(std::string("argument '") + name + "'", "'" + given + "'", "numbers with commas between");
        values.push_back(*value);
    }
    return values;
}

template <class T>
void read_source(const PixelCall& call, std::size_t source, T* pixels) {
    GDALCopyWords64(call.sources[source], call.source_type, GDALGetDataTypeSizeBytes(call.source_type),
                    pixels, kTypeOf<T>, static_cast<int>(sizeof(T)),
                    static_cast<GPtrDiff_t>(call.n_pixels()));
}
template void read_source(const PixelCall&, std::size_t, float*);
template void read_source(const PixelCall&, std::size_t, double*);

bool is_invalid(double value, double nodata) { return !std::isfinite(value) || value == nodata; }

void write_band(const PixelCall& call, const std::vector<float>& values) {
    const float* row = values.data();
    auto* out = static_cast<GByte*>(call.data);
    for (int i = 0; i < call.n_rows; ++i, row += call.n_cols, out += call.line_space)
        GDALCopyWords64(row, GDT_Float32, static_cast<int>(sizeof(float)), out, call.type, call.pixel_space,
                        call.n_cols);
}

}  // namespace rastertide::plugin
