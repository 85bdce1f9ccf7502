// SPDX-License-Identifier: Apache-2.0
#include <rastertide/compute/kmeans.hpp>

#include "pixel_functions/function_call.hpp"

namespace rastertide::plugin {
namespace {

constexpr const char* kName = "rastertide_kmeans_label";

/// Sources: the number of valid pixels of the patch, then its correlation with centre 1, band 1, 2, ...,
/// centre 2, ... The label is that of the largest correlation less half the squared norm of the centre; 0
/// where a pixel is not valid. Equal ones go to the lower label.
void label_patches(const PixelCall& call) {
    const FunctionArguments arguments(kName, call, {"bands", "patch_pixels", "half_norms"});
    const int n_bands = arguments.integer("bands", 1, 65535);
    const int patch_pixels = arguments.integer("patch_pixels", 1, kMaxPatchSize * kMaxPatchSize);
    const std::vector<double> half_norms = arguments.numbers("half_norms");
    const std::size_t n_clusters = half_norms.size();
    const std::size_t n_expected = 1 + n_clusters * static_cast<std::size_t>(n_bands);
    if (n_clusters == 0 || n_clusters > static_cast<std::size_t>(kMaxClusters))
        arguments.fail("the number of half_norms", std::to_string(n_clusters),
                       "1 to " + std::to_string(kMaxClusters));
    if (call.sources.size() != n_expected) {
        arguments.fail("the number of sources", std::to_string(call.sources.size()),
                       std::to_string(n_expected) + ": a count, then bands x half_norms correlations");
    }
    const std::size_t n = call.n_pixels();
    std::vector<float> correlation(n);
    std::vector<double> score(n);
    std::vector<double> highest(n);
    std::vector<float> labels(n, 1);
    for (std::size_t k = 0; k < n_clusters; ++k) {
        std::fill(score.begin(), score.end(), -half_norms[k]);
        for (int band = 0; band < n_bands; ++band) {
            read_source(call, 1 + k * static_cast<std::size_t>(n_bands) + static_cast<std::size_t>(band),
                        correlation.data());
            for (std::size_t i = 0; i < n; ++i) score[i] += static_cast<double>(correlation[i]);
        }
        if (k == 0) {
            highest = score;
            continue;
        }
        const auto label = static_cast<float>(k + 1);
        for (std::size_t i = 0; i < n; ++i) {
            const bool higher = score[i] > highest[i];
            labels[i] = higher ? label : labels[i];
            highest[i] = higher ? score[i] : highest[i];
        }
    }
    read_source(call, 0, correlation.data());
    for (std::size_t i = 0; i < n; ++i) {
        if (correlation[i] != static_cast<float>(patch_pixels)) labels[i] = 0;
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
