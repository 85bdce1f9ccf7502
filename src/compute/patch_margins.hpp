// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace rastertide {

/// Classes of the patches of a tile by mean and spread.
struct PatchClasses {
    /// kOut: beyond what the sample held; kVoid: holds a NaN.
    static constexpr int kMeans = 31, kSpreads = 8;
    static constexpr int kOut = kMeans * kSpreads, kVoid = 255, kClasses = 256;

    /// Bounds of the classes: mean i lies in [mean_edges[i], mean_edges[i + 1]), the sum of squares about the
    /// mean of spread j at most square_edges[i][j].
    std::array<float, kMeans + 1> mean_edges{};
    std::array<std::array<float, kSpreads>, kMeans> square_edges{};
};

/// What lets a pass prove that a patch keeps its label, of all patches of a tile: kept in a PatchMemory,
/// filled and read by the Cpu kernel alone (compute/cpu/kmeans_margins.hpp has the reasoning).
struct PatchMargins : PatchClasses {
    /// Weights are renewed now and then; margins of this many versions are in use at a time.
    static constexpr std::size_t kVersions = 4;
    static constexpr int kVersionBits = 2;

    /// [n_patches]: how far the nearest rival centre is at least, in units of the label's weights, above the
    /// version of these in the lowest bits.
    std::vector<std::uint16_t> margins;
    std::vector<std::uint8_t> classes;  ///< [n_patches]

    /// Of the last pass: level, coefficients and half norms as KMeansPlan has them.
    float level = 0;
    std::vector<float> coefficients, half_norms;
    std::int64_t n_changed = -1;           ///< labels, in the last pass; -1: there was none
    std::vector<std::int64_t> n_labelled;  ///< [1 + n_clusters], after the last pass

    bool in_use = false;                                 ///< margins hold what they should
    std::size_t version = 0;                             ///< of the weights of new margins
    int age = 0;                                         ///< of that version, in passes
    std::array<std::vector<double>, kVersions> weights;  ///< [n_clusters own][n_clusters rivals]
    std::array<std::vector<double>, kVersions> slack;    ///< [n_clusters][kClasses]: for rounding
};

}  // namespace rastertide
