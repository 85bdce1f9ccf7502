// SPDX-License-Identifier: Apache-2.0
// What the stages of a K-Means run share, and the stages, in this order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/pipeline/kmeans_model.hpp>
#include <rastertide/pipeline/run_kmeans.hpp>
#include <rastertide/reduce/square_sum.hpp>

#include "pipeline/kmeans/patch_list.hpp"
#include "pipeline/kmeans/tile_passes.hpp"
#include "pipeline/stack_run.hpp"
#include "write/product_layouts.hpp"

namespace rastertide {

struct KMeansRun : StackRun {
    const RunKMeansOptions& options;
    std::optional<KMeansModel> given = {};  ///< what -model or -init FILE holds

    /// Bands of labels: one a date, or one in all where a pixel's whole time series is a sample.
    std::int64_t n_label_dates() const { return options.time_features ? 1 : n_dates(); }
    /// Values that a sample has of each pixel.
    std::int64_t n_sample_bands() const {
        return options.time_features ? n_dates() * series.n_bands() : series.n_bands();
    }
    std::int64_t n_features() const { return n_sample_bands() * options.patch_size * options.patch_size; }
    PixelStack stack(const Tile& tile, const float* pixels) const {
        return {pixels,
                n_label_dates(),
                n_sample_bands(),
                tile.source.n_rows,
                tile.source.n_cols,
                tile.locations.row,
                tile.locations.col};
    }
    std::int64_t n_label_values(const Tile& tile) const {
        return tile.locations.n_pixels() * n_label_dates();
    }
};

/// What is known of all patches before the first centre.
struct StackMoments {
    FixedPoint fixed;            ///< around the mean pixel
    std::int64_t n_patches = 0;  ///< that hold no NaN
    double pixel_variance = 0;
    double feature_variance = 0;  ///< mean over the features of a patch: scikit-learn's tol is relative to it
    SquareSum squares;            ///< of all patches, relative to fixed.offset
};

class StackShare;

/// Value range, mean and number of the patches: of `passes` of all ranks. Collective.
/// @throws AgreedError  no patch, or nothing to cluster: all pixels are equal
StackMoments measure_stack(KMeansRun& run, TilePasses& passes);

/// The second pass: the squares of `moments` and their variance, and a sample of about 1% of the patches if
/// `n_wanted` is not 0. Half of it is uniform, half by squared distance from the mean, so that small bright
/// clusters are met (weights are the inverse probabilities, in keys). `share` keeps its pixels. Collective.
PatchList draw_sample(KMeansRun& run, TilePasses& passes, StackMoments& moments, std::int64_t n_wanted,
                      StackShare& share);

/// One fit: from its start to its end.
struct KMeansFit {
    PatchCenters centers;
    PatchSums sums;  ///< of the clusters that belong to the last assignment
    std::int64_t iterations = 0;
    bool converged = false;
};

/// From these centres, before the first iteration.
KMeansFit new_fit(PatchCenters centers);

/// n_init starts for each number of clusters from min_clusters to max_clusters. Collective.
std::vector<KMeansFit> choose_starts(KMeansRun& run, TilePasses& passes, const StackMoments& moments,
                                     const PatchList& sample);

/// When Lloyd's iterations end.
struct LloydLimits {
    std::int64_t max_iter;
    double tol;       ///< relative to StackMoments::feature_variance
    bool final_sums;  ///< one more assignment: sums belong to the last centres
};

/// Called after each iteration with the fits, all of which went through it or were at their end.
using IterationFn = std::function<void(const std::vector<KMeansFit>&)>;

/// Lloyd's iterations, all fits in one pass over the tiles. `comm` has the ranks that `passes` is shared by.
/// Collective.
void lloyd(KMeansRun& run, Communicator& comm, TilePasses& passes, const StackMoments& moments,
           const LloydLimits& limits, std::vector<KMeansFit>& fits, const ProgressFn& progress,
           const IterationFn& after_iteration = {});

/// Lloyd's iterations over a share of the stack, so that fewer over all patches remain. Collective.
/// @param label_bytes  for what is remembered of its patches
void lloyd_on_share(KMeansRun& run, StackShare& share, std::int64_t label_bytes, const StackMoments& moments,
                    std::vector<KMeansFit>& fits, const ProgressFn& progress);

/// Gives each empty cluster of a fit a patch that is farthest from its centre, as scikit-learn does: the
/// patch's integers move from its cluster's sums. Collective.
void relocate_empty(KMeansRun& run, Communicator& comm, TilePasses& passes, const FixedPoint& fixed,
                    KMeansFit& fit);

/// Clusters that a part of batch-parallel has: more than asked for, so that their merging loses little.
std::int64_t clusters_of_part(std::int64_t n_clusters);

/// Clusters fixed bands of rows by themselves, each on one rank, then their weighted centres; `fits` get
/// these. Collective.
/// @param keep_bytes  as of TilePasses
void batch_parallel(KMeansRun& run, const StackMoments& moments, const PatchList& sample,
                    std::int64_t keep_bytes, std::vector<KMeansFit>& fits, const ProgressFn& progress);

/// Moves the centres of the fits by batches of the sample. Collective.
void mini_batches(KMeansRun& run, const PatchList& sample, std::vector<KMeansFit>& fits);

/// The clusters' numbers and sums under the fits' centres, without moving these. Collective.
void assign_all(KMeansRun& run, Communicator& comm, TilePasses& passes, const FixedPoint& fixed,
                std::vector<KMeansFit>& fits);

/// Sum of squared distances of all patches to the centres that `fit.sums` belong to.
double energy(const KMeansFit& fit, const StackMoments& moments);

/// The clusters in the order of the centres' means.
void sort_by_mean(PatchCenters& centers);

/// What the label pass counts.
struct LabelCounts {
    PatchSums sums;                                  ///< of the clusters
    std::vector<std::vector<std::int64_t>> by_date;  ///< [label dates][k]
};

/// Last pass: labels every patch and writes the shards of "labels". Collective.
/// @param with_sums  also sums, else sums has the numbers alone
LabelCounts label_tiles(KMeansRun& run, TilePasses& passes, const PatchCenters& centers,
                        const FixedPoint& fixed, bool with_sums, const ProgressFn& progress);

/// A model with its labels counted.
struct Labeled {
    KMeansModel model;
    LabelCounts counts;
    std::vector<ElbowPoint> elbow;
    bool has_knee = false;
};

/// Finds the centres, then labels with them. Collective.
Labeled fit_and_label(KMeansRun& run, const ProgressFn& progress);
/// Labels with the centres of a file. Collective.
Labeled label_with_model(KMeansRun& run, const ProgressFn& progress);

/// Files of -lazy, at the top of the folder.
std::vector<std::string> lazy_file_names();
/// @throws InvalidArgument  naming the first scene whose pixels GDAL alone gives otherwise
void require_lazy_scenes(const KMeansRun& run);
/// Writes the files of -lazy. @param labels  what labels.vrt says beside its pixels
void write_lazy_products(const KMeansRun& run, const KMeansModel& model, const Product& labels);

const RunKind& kmeans_kind();
/// run.json.
Json kmeans_record(const KMeansRun& run);
/// Joins the shards and writes every file that users open. Collective.
void write_kmeans_products(const KMeansRun& run, const KMeansModel& model, const KMeansSummary& summary);
void write_summary(const KMeansRun& run, const KMeansSummary& summary, const RunCosts& costs);

}  // namespace rastertide
