// SPDX-License-Identifier: Apache-2.0
#include "common/kmeans_options.hpp"

#include <charconv>
#include <filesystem>

#include <rastertide/compute/lof.hpp>

namespace rastertide::utils {
namespace {

std::int64_t cluster_number(const std::string& option, const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1)
        throw UsageError("-k " + option + ": expected a number of clusters, 1 or more, or MIN:MAX");
    return value;
}

/// K, or MIN:MAX.
void set_clusters(RunKMeansOptions& options, const std::string& text) {
    const std::size_t colon = text.find(':');
    options.min_clusters = cluster_number(text, text.substr(0, colon));
    options.max_clusters =
        colon == std::string::npos ? options.min_clusters : cluster_number(text, text.substr(colon + 1));
}

KMeansAlgorithm algorithm(const std::string& word) {
    if (word == "lloyd") return KMeansAlgorithm::Lloyd;
    if (word == "batch-parallel") return KMeansAlgorithm::BatchParallel;
    if (word == "minibatch") return KMeansAlgorithm::MiniBatch;
    throw UsageError("-algorithm '" + word + "': expected lloyd, batch-parallel or minibatch");
}

/// A word, or else a file's name.
void set_init(RunKMeansOptions& options, const std::string& word) {
    std::error_code no_name;
    if (word == "sample") {
        options.init = KMeansInit::Sample;
    } else if (word == "kmeans||" || word == "k-means||") {
        options.init = KMeansInit::KMeansParallel;
    } else if (word == "kmeans++" || word == "k-means++") {
        options.init = KMeansInit::KMeansPlusPlus;
    } else if (word == "random") {
        options.init = KMeansInit::Random;
    } else if (std::filesystem::exists(word, no_name)) {
        options.init = KMeansInit::File;
        options.init_file = word;
    } else {
        throw UsageError("-init '" + word +
                         "': no such file; expected one, or sample, kmeans||, kmeans++ or random");
    }
}

/// Nothing is fitted with -model.
void refuse_fit_options(const Args& args) {
    for (const char* name :
         {"k", "features", "algorithm", "init", "n_init", "max_iter", "tol", "seed", "parts"}) {
        if (args.has(name))
            throw UsageError("-" + std::string(name) + ": not with -model, which brings its centres");
    }
}

}  // namespace

std::vector<OptionSpec> kmeans_option_specs() {
    return {
        {"patch", 1, "P", "patches of P x P pixels, odd, 1 to 31 (default 7)"},
        {"k", 1, "K|MIN:MAX", "clusters (default 8), or the elbow over a range and the labels at its knee"},
        {"features", 1, "patch|time", "what a sample is: a patch at a date, or a pixel at all dates"},
        {"algorithm", 1, "NAME", "lloyd (default), batch-parallel or minibatch"},
        {"init", 1, "NAME|FILE", "sample (default), kmeans||, kmeans++, random, or a centers.json"},
        {"n_init", 1, "N", "fits from different starts, the best is kept (default 1)"},
        {"max_iter", 1, "N", "iterations of a fit at most (default 100)"},
        {"tol", 1, "T", "converged when the centres move less, relative to the variance (default 1e-4)"},
        {"seed", 1, "S", "of all random numbers (default 0)"},
        {"parts", 1, "N", "parts of batch-parallel (default 8)"},
        {"model", 1, "FILE", "label with the centres of this centers.json, fit nothing"},
        {"lazy", 0, "", "write also labels_lazy.vrt, whose labels are computed when they are read"},
    };
}

void set_kmeans_options(RunKMeansOptions& options, const Args& args) {
    options.model_file = args.get("model", "");
    if (!options.model_file.empty()) refuse_fit_options(args);
    if (args.has("patch")) {
        const std::int64_t patch = args.integer("patch", 0);
        if (patch < 1 || patch > kMaxPatchSize)
            throw UsageError("-patch " + std::to_string(patch) + ": expected an odd number from 1 to " +
                             std::to_string(kMaxPatchSize));
        options.patch_size = static_cast<int>(patch);
    }
    if (const auto k = args.get("k")) set_clusters(options, *k);
    const std::string features = args.get("features", "patch");
    if (features != "patch" && features != "time")
        throw UsageError("-features '" + features + "': expected patch or time");
    options.time_features = features == "time";
    options.algorithm = algorithm(args.get("algorithm", "lloyd"));
    set_init(options, args.get("init", "sample"));
    options.n_init = args.integer("n_init", options.n_init);
    options.max_iter = args.integer("max_iter", options.max_iter);
    options.tol = args.number("tol", options.tol);
    const std::int64_t seed = args.integer("seed", 0);
    if (seed < 0) throw UsageError("-seed " + std::to_string(seed) + ": expected 0 or a positive number");
    options.seed = static_cast<std::uint64_t>(seed);
    options.parts = args.integer("parts", options.parts);
    options.lazy = args.has("lazy");
}

}  // namespace rastertide::utils
