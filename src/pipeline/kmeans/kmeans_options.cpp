// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/kmeans_options.hpp"

#include <cmath>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/core/error.hpp>

#include "core/number_text.hpp"

namespace rastertide {
namespace {

void require(bool ok, const std::string& option, const std::string& found, const std::string& expected) {
    if (!ok) throw InvalidArgument("-" + option + " " + found + ": expected " + expected);
}

void require_count(const std::string& option, std::int64_t value, std::int64_t most) {
    require(value >= 1 && value <= most, option, std::to_string(value),
            "a number from 1 to " + std::to_string(most));
}

void validate_clusters(const RunKMeansOptions& options) {
    if (options.min_clusters == 0 && options.max_clusters == 0) return;  // to be chosen
    const std::string found = clusters_text(options);
    require(options.min_clusters >= 1 && options.max_clusters <= kMaxClusters, "k", found,
            "numbers from 1 to " + std::to_string(kMaxClusters));
    require(options.min_clusters <= options.max_clusters, "k", found, "MIN:MAX with MIN not above MAX");
}

void validate_patch(const RunKMeansOptions& options) {
    const int patch = options.patch_size;
    require(patch == 0 || (patch >= 1 && patch <= kMaxPatchSize && patch % 2 == 1), "patch",
            std::to_string(patch), "an odd number from 1 to " + std::to_string(kMaxPatchSize));
    require(!options.time_features || patch <= 1, "patch", std::to_string(patch),
            "1 with -features time: a sample is one pixel at all dates");
}

}  // namespace

std::string to_string(KMeansAlgorithm algorithm) {
    switch (algorithm) {
        case KMeansAlgorithm::Lloyd:
            return "lloyd";
        case KMeansAlgorithm::BatchParallel:
            return "batch-parallel";
        case KMeansAlgorithm::MiniBatch:
            return "minibatch";
    }
    throw InternalError("no such algorithm");
}

std::string to_string(KMeansInit init) {
    switch (init) {
        case KMeansInit::Sample:
            return "sample";
        case KMeansInit::KMeansParallel:
            return "kmeans||";
        case KMeansInit::KMeansPlusPlus:
            return "kmeans++";
        case KMeansInit::Random:
            return "random";
        case KMeansInit::File:
            return "file";
    }
    throw InternalError("no such init");
}

std::string clusters_text(const RunKMeansOptions& options) {
    const std::string max = std::to_string(options.max_clusters);
    return options.min_clusters == options.max_clusters ? max
                                                        : std::to_string(options.min_clusters) + ":" + max;
}

void require_patches(const RunKMeansOptions& options, std::int64_t n_patches) {
    if (n_patches >= options.max_clusters) return;
    throw InvalidArgument("-k " + clusters_text(options) + ": the stack has " + std::to_string(n_patches) +
                          " patches without nodata, expected at least as many as clusters");
}

void RunKMeansOptions::validate() const {
    validate_patch(*this);
    validate_clusters(*this);
    require_count("n_init", n_init, 1000);
    require_count("max_iter", max_iter, 1000000000);
    require_count("parts", parts, 65536);
    require(std::isfinite(tol) && tol >= 0, "tol", std::isnan(tol) ? "nan" : number_text(tol),
            "0 or a positive number");
    require(init == KMeansInit::Sample || algorithm == KMeansAlgorithm::Lloyd, "init", to_string(init),
            "sample with -algorithm " + to_string(algorithm) + ": it starts from its sample");
    require(init != KMeansInit::File || n_init == 1, "n_init", std::to_string(n_init),
            "1 with the centres of a file");
    require(!lazy || !time_features, "lazy", "with -features time",
            "-features patch: a lazy label sees one date");
    require(!lazy || series.scale == PixelScale::Linear, "lazy", "with -scale db", "-scale linear");
}

}  // namespace rastertide
