// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <rastertide/compute/lof.hpp>

#include "anomaly_buffers.hpp"
#include "pixel_functions/function_call.hpp"

namespace rastertide::plugin {
namespace {

constexpr const char* kName = "rastertide_lof";

/// What of the scores of all dates becomes the band.
struct Statistic {
    enum class Kind { Date, Max, Count, ArgMax };
    Kind kind = Kind::Max;
    std::size_t date = 0;  ///< from 0
};

Statistic parse_statistic(const FunctionArguments& arguments, std::size_t n_dates) {
    const std::string text = arguments.text("statistic", "max");
    if (text == "max") return {Statistic::Kind::Max};
    if (text == "count") return {Statistic::Kind::Count};
    if (text == "argmax") return {Statistic::Kind::ArgMax};
    for (std::size_t date = 1; date <= n_dates; ++date) {
        if (text == "date:" + std::to_string(date)) return {Statistic::Kind::Date, date - 1};
    }
    arguments.fail("argument 'statistic'", "'" + text + "'",
                   "max, count, argmax, or date:N with N from 1 to " + std::to_string(n_dates));
}

/// [dates][pixels], NaN where invalid.
std::vector<float> read_dates(const PixelCall& call, double nodata) {
    std::vector<float> pixels(call.n_pixels() * call.sources.size());
    std::vector<double> source(call.n_pixels());
    float* date = pixels.data();
    for (std::size_t i = 0; i < call.sources.size(); ++i, date += call.n_pixels()) {
        read_source(call, i, source.data());
        for (std::size_t k = 0; k < source.size(); ++k) {
            const bool fits = std::fabs(source[k]) <= static_cast<double>(kMaxPixelValue);
            date[k] = is_invalid(source[k], nodata) || !fits ? std::numeric_limits<float>::quiet_NaN()
                                                             : static_cast<float>(source[k]);
        }
    }
    return pixels;
}

void score_dates(const PixelCall& call) {
    const FunctionArguments arguments(kName, call, {"statistic", "neighbors", "threshold", "nodata"});
    const std::size_t n_dates = call.sources.size();
    if (n_dates < 2 || n_dates > 65534)
        arguments.fail("the number of sources", std::to_string(n_dates), "2 to 65534, each a date");
    LofParams params;
    params.patch_size = 1;
    params.neighbors = arguments.integer("neighbors", 1, static_cast<int>(n_dates) - 1, params.neighbors);
    params.validate(static_cast<std::int64_t>(n_dates));
    const Statistic statistic = parse_statistic(arguments, n_dates);
    const double threshold = statistic.kind == Statistic::Kind::Count ? arguments.number("threshold") : 0;
    const std::vector<float> pixels = read_dates(call, arguments.number("nodata", std::nan("")));

    ComputeOptions options;
    options.backend = Backend::Cpu;
    options.n_threads = 1;  // GDAL's readers have threads of their own
    std::vector<float> scores(pixels.size());
    const std::size_t n_pixels = call.n_pixels();
    lof({pixels.data(), static_cast<std::int64_t>(n_dates), 1, call.n_rows, call.n_cols, 0, 0}, params,
        {scores.data(), static_cast<std::int64_t>(n_pixels), call.n_cols}, options);

    if (statistic.kind == Statistic::Kind::Date) {
        const float* first = scores.data() + statistic.date * n_pixels;
        return write_band(call, std::vector<float>(first, first + n_pixels));
    }
    const AnomalyBuffers made(scores.data(), static_cast<std::int64_t>(n_dates),
                              static_cast<std::int64_t>(n_pixels), threshold, options.n_threads);
    if (statistic.kind == Statistic::Kind::Max) return write_band(call, made.max_score);
    const std::vector<std::uint16_t>& numbers =
        statistic.kind == Statistic::Kind::Count ? made.count : made.max_date;
    write_band(call, {numbers.begin(), numbers.end()});
}

}  // namespace

constexpr const char* kMetadata =
    "<PixelFunctionArgumentsList>"
    "  <Argument name='statistic' type='string' description='Of the local outlier factors of the sources, "
    "each a date, "
    "pixel by pixel (a pixel function sees no neighbourhood: patches of 1 x 1): date:N, max, count (dates "
    "above "
    "threshold) or argmax (number of the date of the highest, from 1)' default='max'/>"
    "  <Argument name='neighbors' type='integer' description='Neighbours, fewer than the sources' "
    "default='10'/>"
    "  <Argument name='threshold' type='double' description='For count: score above which a date is "
    "anomalous'/>"
    "  <Argument name='nodata' type='double' description='Value that is no measurement, beside NaN' "
    "default='nan'/>"
    "</PixelFunctionArgumentsList>";

const PixelFunction kLofFunction = {kName, kMetadata, score_dates};

}  // namespace rastertide::plugin
