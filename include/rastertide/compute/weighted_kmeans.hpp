// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/core/options.hpp>

namespace rastertide {

/// Points with weights, held in memory: a sample of patches, or the centres of parts. Here the Cpu backend
/// stands in for Cuda: points are few.
class WeightedPoints {
  public:
    /// @param values   [n][n_features], row-major, finite
    /// @param weights  [n], positive
    /// @throws InvalidArgument  no point, sizes that do not fit each other, values or weights out of range
    WeightedPoints(std::int64_t n_features, std::vector<float> values, std::vector<double> weights);

    std::int64_t n() const { return static_cast<std::int64_t>(weights_.size()); }
    std::int64_t n_features() const { return n_features_; }
    const float* point(std::int64_t i) const { return values_.data() + i * n_features_; }
    double weight(std::int64_t i) const { return weights_[static_cast<std::size_t>(i)]; }

    /// Labels 1..k of the nearest centres, [n]. @param centers  [k][n_features] as patches of one pixel
    std::vector<std::uint16_t> assign(const PatchCenters& centers, const ComputeOptions& options) const;
    /// Squared distances to the nearest centre, [n].
    std::vector<float> distances(const PatchCenters& centers, const ComputeOptions& options) const;

  private:
    PixelStack blocks() const;

    std::int64_t n_features_;
    std::vector<float> values_;
    std::vector<double> weights_;
    std::vector<float>
        planar_;  // the same as one-pixel patches: [blocks][n_features][kBlock], NaN at the end
    double offset_ = 0;
};

struct WeightedFit {
    std::vector<double> centers;  ///< [k][n_features]
    std::vector<double> weights;  ///< [k]: of the points of each cluster
    double energy = 0;            ///< weighted sum of squared distances
    std::int64_t iterations = 0;
};

/// Greedy k-means++ (Arthur & Vassilvitskii 2007, with the 2 + log k trials of scikit-learn): centres drawn
/// by weight times squared distance.
/// @return [k][n_features]; fewer than k distinct points: some centres are equal
/// @throws InvalidArgument  k < 1
std::vector<double> kmeans_plusplus(const WeightedPoints& points, std::int64_t k, std::uint64_t seed,
                                    const ComputeOptions& options);

/// Lloyd's algorithm on weighted points from given centres, until the squared shifts of all centres add up to
/// at most `tol` times the mean (weighted) variance of the features, as scikit-learn's tol, or max_iter is
/// reached.
///
/// A cluster that runs empty takes the point that is farthest from its centre and not alone there; it keeps
/// its centre where all others are at distance 0. Sums are in double and in the points' order: the same on
/// any machine of one SIMD level, whatever the threads.
WeightedFit weighted_lloyd(const WeightedPoints& points, std::vector<double> centers, std::int64_t max_iter,
                           double tol, const ComputeOptions& options);

/// Mini-batch K-Means (Sculley 2010): batches drawn by weight; each centre moves to the running mean of what
/// it was given. Stops after max_iter passes over as many points as there are, or one in which the centres
/// moved by at most tol, as weighted_lloyd(). A centre that is given none stays where it is.
/// @throws InvalidArgument  batch_size < 1
WeightedFit minibatch_kmeans(const WeightedPoints& points, std::vector<double> centers,
                             std::int64_t batch_size, std::int64_t max_iter, double tol, std::uint64_t seed,
                             const ComputeOptions& options);

}  // namespace rastertide
