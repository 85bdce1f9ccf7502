// SPDX-License-Identifier: Apache-2.0
#include <rastertide/compute/kmeans.hpp>

#include "pixel_functions/function_call.hpp"

namespace rastertide::plugin {
namespace {

constexpr const char* kName = "rastertide_kmeans_label";

struct LabelArguments {
    std::size_t n_bands = 0;
    float patch_pixels = 0;
    std::vector<double> half_norms;  ///< of each centre
};

LabelArguments parse(const PixelCall& call) {
    const FunctionArguments arguments(kName, call, {"bands", "patch_pixels", "half_norms"});
    LabelArguments labels;
    labels.n_bands = static_cast<std::size_t>(arguments.integer("bands", 1, 65535));
    labels.patch_pixels =
        static_cast<float>(arguments.integer("patch_pixels", 1, kMaxPatchSize * kMaxPatchSize));
    labels.half_norms = arguments.numbers("half_norms");
    const std::size_t n_clusters = labels.half_norms.size();
    if (n_clusters == 0 || n_clusters > static_cast<std::size_t>(kMaxClusters)) {
        arguments.fail("the number of half_norms", std::to_string(n_clusters),
                       "1 to " + std::to_string(kMaxClusters));
    }
    const std::size_t n_expected = 1 + (n_clusters - 1) * labels.n_bands;
    if (call.sources.size() != n_expected) {
        arguments.fail("the number of sources", std::to_string(call.sources.size()),
                       std::to_string(n_expected) + ": a count, then bands x (half_norms - 1) correlations");
    }
    return labels;
}

/// Sources: the number of valid pixels of the patch, then its correlation with centre 2 less centre 1, band
/// 1, 2, ..., centre 3 less centre 1, ... The label is that of the largest correlation, 0 for centre 1, less
/// half the squared norm of the centre; 0 where a pixel is not valid. Equal ones go to the lower label.
void label_patches(const PixelCall& call) {
    const LabelArguments arguments = parse(call);
    const std::size_t n = call.n_pixels();
    std::vector<float> source(n);
    std::vector<double> score(n);
    std::vector<double> highest(n, -arguments.half_norms[0]);
    std::vector<float> labels(n, 1);
    std::size_t i_source = 1;
    for (std::size_t k = 1; k < arguments.half_norms.size(); ++k) {
        std::fill(score.begin(), score.end(), -arguments.half_norms[k]);
        for (std::size_t band = 0; band < arguments.n_bands; ++band) {
            read_source(call, i_source++, source.data());
            for (std::size_t i = 0; i < n; ++i) score[i] += static_cast<double>(source[i]);
        }
        const auto label = static_cast<float>(k + 1);
        for (std::size_t i = 0; i < n; ++i) {
            const bool higher = score[i] > highest[i];
            labels[i] = higher ? label : labels[i];
            highest[i] = higher ? score[i] : highest[i];
        }
    }
    read_source(call, 0, source.data());
    for (std::size_t i = 0; i < n; ++i) {
        if (source[i] != arguments.patch_pixels) labels[i] = 0;
    }
    write_band(call, labels);
}

}  // namespace

constexpr const char* kMetadata =
    "<PixelFunctionArgumentsList>"
    "  <Argument name='bands' type='integer' description='Bands of a date' mandatory='1'/>"
    "  <Argument name='patch_pixels' type='integer' description='Pixels of a patch in one band' "
    "mandatory='1'/>"
    "  <Argument name='half_norms' type='string' description='Half the squared norm of each centre, commas "
    "between' "
    "mandatory='1'/>"
    "</PixelFunctionArgumentsList>";

const PixelFunction kLabelFunction = {kName, kMetadata, label_patches};

}  // namespace rastertide::plugin
