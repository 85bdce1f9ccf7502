// SPDX-License-Identifier: Apache-2.0
#include "driver/threshold_rule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include <rastertide/core/error.hpp>
#include <rastertide/reduce/score_statistics.hpp>
#include <rastertide/write/text_file.hpp>

#include "pipeline/shallow_json.hpp"

namespace rastertide::plugin {
namespace {

using Json = nlohmann::json;

void require_same(const Json& options, const char* name, const Json& expected, const std::string& file) {
    const Json found = options.value(name, Json());
    if (found.is_null() || found == expected) return;
    throw InvalidArgument("'" + file + "': is of a run with " + name + " " + found.dump() + ", expected " +
                          expected.dump() + " as asked for");
}

/// @return its options
Json read_summary(const LazyRequest& request, double& threshold) {
    const std::string& file = request.summary_file;
    const Json json = parse_shallow<Json>(read_text_file(file));
    const Json options = json.is_object() ? json.value("options", Json()) : Json();
    if (!options.is_object() || !json.value("threshold", Json()).is_number())
        throw InvalidArgument("'" + file + "': expected a summary.json of rastertide_lof with a threshold");
    require_same(options, "patch", request.lof.patch_size, file);
    require_same(options, "neighbors", request.lof.neighbors, file);
    require_same(options, "scale", to_string(request.series.scale), file);
    threshold = json["threshold"].get<double>();
    return options;
}

double mean_and_deviations(const std::vector<float>& scores, double n_deviations) {
    ScoreStatistics statistics(1);
    statistics.add_tile(scores.data(), 1, static_cast<std::int64_t>(scores.size()), 1);
    const ScoreStatistics::Moments total = statistics.total();
    return total.mean + n_deviations * total.std;
}

/// Linear between two scores, as in numpy.
double quantile_of(std::vector<float>& scores, double q) {
    std::sort(scores.begin(), scores.end());
    const double position = q * static_cast<double>(scores.size() - 1);
    const auto lower = static_cast<std::size_t>(position);
    const std::size_t upper = std::min(lower + 1, scores.size() - 1);
    return scores[lower] + (position - static_cast<double>(lower)) * (scores[upper] - scores[lower]);
}

}  // namespace

std::string threshold_rule(const LazyRequest& request) {
    if (!request.threshold.empty()) return request.threshold;
    if (request.summary_file.empty()) return Threshold().text();
    double threshold = 0;
    const Json options = read_summary(request, threshold);
    return options.value("threshold", Threshold().text());
}

std::optional<double> known_threshold(const LazyRequest& request) {
    if (!request.summary_file.empty()) {
        double threshold = 0;
        read_summary(request, threshold);
        return threshold;
    }
    const Threshold rule = Threshold::parse(threshold_rule(request));
    if (rule.kind == Threshold::Kind::Value) return rule.amount;
    return std::nullopt;
}

double threshold_of_scores(const std::string& rule, std::vector<float> scores) {
    std::erase_if(scores, [](float score) { return std::isnan(score); });
    if (scores.empty()) return std::numeric_limits<double>::quiet_NaN();
    const Threshold threshold = Threshold::parse(rule);
    switch (threshold.kind) {
        case Threshold::Kind::Sigma:
            return mean_and_deviations(scores, threshold.amount);
        case Threshold::Kind::Quantile:
            return quantile_of(scores, threshold.amount);
        case Threshold::Kind::Value:
            break;
    }
    return threshold.amount;
}

}  // namespace rastertide::plugin
