// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/patch_memory.hpp>
#include <rastertide/core/checked.hpp>
#include <rastertide/core/error.hpp>

#include "compute/kernels.hpp"

namespace rastertide {
namespace {

void check_equal(const char* what, std::int64_t found, std::int64_t expected) {
    if (found == expected) return;
    throw InvalidArgument("kmeans: " + std::string(what) + " is " + std::to_string(found) + ", expected " +
                          std::to_string(expected));
}

void check_tile(const PixelStack& pixels, const PatchCenters& centers) {
    centers.validate();
    check_equal("n_bands of the centres", centers.n_bands, pixels.n_bands);
    if (pixels.data == nullptr || pixels.n_rows < centers.patch_size || pixels.n_cols < centers.patch_size) {
        throw InvalidArgument("kmeans: a tile of " + std::to_string(pixels.n_cols) + " x " +
                              std::to_string(pixels.n_rows) + " pixels holds no patch of " +
                              std::to_string(centers.patch_size));
    }
}

void check_sums(const PatchSums& sums, const PatchCenters& centers) {
    check_equal("n_clusters of the sums", sums.n_clusters(), centers.n_clusters);
    check_equal("n_features of the sums", sums.n_features(), centers.n_features());
}

}  // namespace

void PatchCenters::validate() const {
    LofParams{patch_size, 1}.validate();
    if (n_clusters < 1 || n_clusters > kMaxClusters) {
        throw InvalidArgument("k is " + std::to_string(n_clusters) + ", must be 1 to " +
                              std::to_string(kMaxClusters));
    }
    if (n_bands < 1)
        throw InvalidArgument("kmeans: n_bands is " + std::to_string(n_bands) + ", must be at least 1");
    check_equal("the number of centres' values", static_cast<std::int64_t>(values.size()),
                checked_mul(n_clusters, n_features()));
    const auto bad = std::find_if_not(values.begin(), values.end(), [](double v) {
        return std::abs(v) <= static_cast<double>(kMaxPixelValue);  // false for NaN
    });
    if (bad != values.end()) {
        throw InvalidArgument("centre " + std::to_string((bad - values.begin()) / n_features() + 1) +
                              " holds a value that is not finite, or beyond 1e17 in magnitude");
    }
}

void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, const ComputeOptions& options) {
    check_tile(pixels, centers);
    if (sums != nullptr) check_sums(*sums, centers);
    dispatch::assign_patches(pixels, centers, fixed, labels, sums, options);
}

std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, const ComputeOptions& options) {
    check_tile(pixels, centers);
    check_sums(sums, centers);
    memory.fit_to(pixels, centers, fixed);
    return dispatch::reassign_patches(pixels, centers, fixed, memory, sums, options);
}

void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     const ComputeOptions& options) {
    check_tile(pixels, centers);
    dispatch::patch_distances(pixels, centers, distances, options);
}

PatchCenters mean_centers(const PatchCenters& centers, const PatchSums& sums, const FixedPoint& fixed) {
    PatchCenters means = centers;
    const std::int64_t n_features = centers.n_features();
    for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
        const auto count = static_cast<double>(sums.count(k));
        if (count == 0) continue;
        const auto cluster = sums.sums(k);
        for (std::int64_t i = 0; i < n_features; ++i) {
            const auto sum = static_cast<double>(cluster[static_cast<std::size_t>(i)]);
            means.values[static_cast<std::size_t>(k * n_features + i)] =
                fixed.offset + sum / count / fixed.scale();
        }
    }
    return means;
}

}  // namespace rastertide
