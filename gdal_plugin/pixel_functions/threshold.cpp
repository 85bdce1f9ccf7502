// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <rastertide/compute/anomaly.hpp>

#include "pixel_functions/function_call.hpp"

namespace rastertide::plugin {
namespace {

constexpr const char* kName = "rastertide_threshold";

void mark_anomalies(const PixelCall& call) {
    const FunctionArguments arguments(kName, call, {"threshold", "nodata"});
    if (call.sources.size() != 1)
        arguments.fail("the number of sources", std::to_string(call.sources.size()), "1, the scores");
    const double threshold = arguments.number("threshold");
    const double nodata = arguments.number("nodata", std::numeric_limits<double>::quiet_NaN());
    std::vector<double> scores(call.n_pixels());
    read_source(call, 0, scores.data());
    std::vector<float> marks(scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i)
        marks[i] = is_invalid(scores[i], nodata) ? kMaskNodata : static_cast<float>(scores[i] > threshold);
    write_band(call, marks);
}

}  // namespace

constexpr const char* kMetadata =
    "<PixelFunctionArgumentsList>"
    "  <Argument name='threshold' type='double' description='Scores above it become 1, others 0, invalid "
    "ones 255' "
    "mandatory='1'/>"
    "  <Argument name='nodata' type='double' description='Score that is no measurement, beside NaN' "
    "default='nan'/>"
    "</PixelFunctionArgumentsList>";

const PixelFunction kThresholdFunction = {kName, kMetadata, mark_anomalies};

}  // namespace rastertide::plugin
