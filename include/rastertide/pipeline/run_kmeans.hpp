// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/core/log.hpp>
#include <rastertide/pipeline/run_options.hpp>
#include <rastertide/pipeline/summary.hpp>
#include <rastertide/reduce/communicator.hpp>

namespace rastertide {

enum class KMeansAlgorithm {
    Lloyd,          ///< exact over all patches
    BatchParallel,  ///< parts of the raster by themselves, then the clusters of their weighted centres
    MiniBatch,      ///< small batches of a weighted sample
};

/// Where the first centres come from.
enum class KMeansInit {
    Sample,          ///< k-means++ and Lloyd on a weighted sample of the patches
    KMeansParallel,  ///< k-means|| (Bahmani et al. 2012) over all patches
    KMeansPlusPlus,  ///< greedy k-means++ (Arthur & Vassilvitskii 2007) over all patches
    Random,          ///< patches drawn uniformly
    File,            ///< a model file
};

/// A K-Means run; field names are the options' names, with scikit-learn's meaning where it has them.
struct RunKMeansOptions : RunOptions {
    int patch_size = 0;             ///< p: odd, 1..31; 0 = the model's, 1 with -features time, else 7
    bool time_features = false;     ///< -features time: a pixel's values of all dates are one sample
    std::int64_t min_clusters = 0;  ///< -k K, or -k MIN:MAX for the elbow; 0 = those of the file, else 8
    std::int64_t max_clusters = 0;
    KMeansAlgorithm algorithm = KMeansAlgorithm::Lloyd;
    KMeansInit init = KMeansInit::Sample;
    std::string init_file;    ///< with KMeansInit::File
    std::int64_t n_init = 1;  ///< fits from different starts; that of the lowest energy is kept
    std::int64_t max_iter = 100;
    double tol = 1e-4;  ///< relative to the mean variance of the features
    std::uint64_t seed = 0;
    std::int64_t parts = 8;  ///< of KMeansAlgorithm::BatchParallel
    std::string model_file;  ///< -model: label with these centres, nothing is fitted
    bool lazy = false;       ///< also write labels_lazy.vrt

    /// What does not depend on the stack. @throws InvalidArgument naming the option, its value and the range
    void validate() const;
};

/// Clusters all patches of a stack and writes every product of docs/reference/rastertide_kmeans.md to
/// options.outdir.
///
/// Passes over the tiles, a fixed share of them on each rank: value range, sample, an assignment an iteration
/// and the labels. Sums are exact integers: centres and labels are the same bytes for any number of ranks and
/// threads and any tiles. Pixels that fit options.memory_limit_bytes are read once.
///
/// Collective: all ranks call it with the same options.
/// @throws Error  on every rank, with the same message, if any rank fails
KMeansSummary run_kmeans(const RunKMeansOptions& options, Communicator& comm, const Logger& logger = {},
                         const ProgressFn& progress = {});

}  // namespace rastertide
