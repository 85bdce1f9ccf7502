// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include <rastertide/compute/weighted_kmeans.hpp>
#include <rastertide/core/error.hpp>

#include "core/counter_random.hpp"

namespace rastertide {
namespace {

// Columns of a block of one-pixel patches: the kernel's lines of it stay in the first caches.
constexpr std::int64_t kBlock = 512;

/// Random numbers in a fixed order.
class Draws {
  public:
    Draws(std::uint64_t seed, RandomStream stream) : seed_(seed), stream_(stream) {}
    double next() {
        const RandomWords words = philox(seed_, {n_++, 0, 0, stream_word(stream_)});
        return unit_double(words.a);
    }

  private:
    std::uint64_t seed_;
    RandomStream stream_;
    std::uint32_t n_ = 0;
};

PatchCenters as_pixels(const std::vector<double>& centers, std::int64_t n_features) {
    return {1, n_features, static_cast<std::int64_t>(centers.size()) / n_features, centers};
}

/// The first i whose running sum exceeds u times the total.
std::int64_t draw(const std::vector<double>& running_sums, double u) {
    const double target = u * running_sums.back();
    const auto at = std::upper_bound(running_sums.begin(), running_sums.end(), target);
    return std::min<std::int64_t>(at - running_sums.begin(),
                                  static_cast<std::int64_t>(running_sums.size()) - 1);
}

std::vector<double> point_as_center(const WeightedPoints& points, std::int64_t i) {
    return {points.point(i), points.point(i) + points.n_features()};
}

/// Weighted sums and means of the points of each cluster.
class ClusterMeans {
  public:
    ClusterMeans(const WeightedPoints& points, std::int64_t k)
        : points_(points),
          weights_(static_cast<std::size_t>(k)),
          sums_(static_cast<std::size_t>(k * points.n_features())) {}

    void add(const std::vector<std::uint16_t>& labels) {
        for (std::int64_t i = 0; i < points_.n(); ++i) {
            add(labels[static_cast<std::size_t>(i)] - 1, i, points_.weight(i));
        }
    }
    void add(std::int64_t cluster, std::int64_t i, double weight) {
        weights_[static_cast<std::size_t>(cluster)] += weight;
        double* sums = sums_.data() + cluster * points_.n_features();
        const float* point = points_.point(i);
        for (std::int64_t f = 0; f < points_.n_features(); ++f)
            sums[f] += weight * static_cast<double>(point[f]);
    }

    const std::vector<double>& weights() const { return weights_; }
    /// Empty clusters keep their centre.
    void write_means(std::vector<double>& centers) const {
        for (std::size_t k = 0; k < weights_.size(); ++k) {
            if (weights_[k] <= 0) continue;
            for (std::int64_t f = 0; f < points_.n_features(); ++f) {
                const auto at = static_cast<std::int64_t>(k) * points_.n_features() + f;
                centers[static_cast<std::size_t>(at)] = sums_[static_cast<std::size_t>(at)] / weights_[k];
            }
        }
    }

  private:
    const WeightedPoints& points_;
    std::vector<double> weights_;
    std::vector<double> sums_;
};

/// Gives each empty cluster the point that is farthest from its centre.
void refill_empty(const WeightedPoints& points, const PatchCenters& centers,
                  const std::vector<std::uint16_t>& labels, ClusterMeans& means,
                  const ComputeOptions& options) {
    if (std::find(means.weights().begin(), means.weights().end(), 0) == means.weights().end()) return;
    std::vector<float> distances = points.distances(centers, options);
    for (std::size_t k = 0; k < means.weights().size(); ++k) {
        if (means.weights()[k] != 0) continue;
        const auto farthest = std::max_element(distances.begin(), distances.end());
        if (*farthest <= 0) return;
        const std::int64_t i = farthest - distances.begin();
        *farthest = 0;
        means.add(labels[static_cast<std::size_t>(i)] - 1, i, -points.weight(i));
        means.add(static_cast<std::int64_t>(k), i, points.weight(i));
    }
}

double weighted_energy(const WeightedPoints& points, const PatchCenters& centers,
                       const ComputeOptions& options) {
    const std::vector<float> distances = points.distances(centers, options);
    double energy = 0;
    for (std::int64_t i = 0; i < points.n(); ++i) {
        energy += points.weight(i) * static_cast<double>(distances[static_cast<std::size_t>(i)]);
    }
    return energy;
}

double mean_variance(const WeightedPoints& points) {
    ClusterMeans means(points, 1);
    means.add(std::vector<std::uint16_t>(static_cast<std::size_t>(points.n()), 1));
    std::vector<double> mean(static_cast<std::size_t>(points.n_features()));
    means.write_means(mean);
    const double energy = weighted_energy(points, as_pixels(mean, points.n_features()), {Backend::Auto, 1});
    return energy / means.weights()[0] / static_cast<double>(points.n_features());
}

double shift_sq(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

WeightedFit finished(const WeightedPoints& points, std::vector<double> centers, std::int64_t iterations,
                     const ComputeOptions& options) {
    WeightedFit fit;
    const PatchCenters as_patches = as_pixels(centers, points.n_features());
    ClusterMeans means(points, as_patches.n_clusters);
    means.add(points.assign(as_patches, options));
    fit.weights = means.weights();
    fit.energy = weighted_energy(points, as_patches, options);
    fit.centers = std::move(centers);
    fit.iterations = iterations;
    return fit;
}

}  // namespace

WeightedPoints::WeightedPoints(std::int64_t n_features, std::vector<float> values,
                               std::vector<double> weights)
    : n_features_(n_features), values_(std::move(values)), weights_(std::move(weights)) {
    if (n_features < 1 || static_cast<std::int64_t>(values_.size()) != n() * n_features || n() == 0) {
        throw InvalidArgument("weighted points: " + std::to_string(values_.size()) + " values of " +
                              std::to_string(n()) + " points with " + std::to_string(n_features) +
                              " features");
    }
    const std::int64_t n_blocks = (n() + kBlock - 1) / kBlock;
    planar_.assign(static_cast<std::size_t>(n_blocks * n_features * kBlock),
                   std::numeric_limits<float>::quiet_NaN());
    for (std::int64_t i = 0; i < n(); ++i) {
        float* to = planar_.data() + i / kBlock * n_features * kBlock + i % kBlock;
        for (std::int64_t f = 0; f < n_features; ++f) to[f * kBlock] = point(i)[f];
    }
    offset_ = std::accumulate(values_.begin(), values_.end(), 0.0) / static_cast<double>(values_.size());
}

PixelStack WeightedPoints::blocks() const {
    return {planar_.data(), (n() + kBlock - 1) / kBlock, n_features_, 1, kBlock, 0, 0};
}

std::vector<std::uint16_t> WeightedPoints::assign(const PatchCenters& centers,
                                                  const ComputeOptions& options) const {
    const PixelStack pixels = blocks();
    std::vector<std::uint16_t> labels(static_cast<std::size_t>(pixels.n_dates * kBlock));
    FixedPoint fixed;
    fixed.offset = offset_;
    assign_patches(pixels, centers, fixed, {labels.data(), kBlock, kBlock}, nullptr, options);
    labels.resize(static_cast<std::size_t>(n()));
    return labels;
}

std::vector<float> WeightedPoints::distances(const PatchCenters& centers,
                                             const ComputeOptions& options) const {
    const PixelStack pixels = blocks();
    std::vector<float> distances(static_cast<std::size_t>(pixels.n_dates * kBlock));
    patch_distances(pixels, centers, {distances.data(), kBlock, kBlock}, options);
    distances.resize(static_cast<std::size_t>(n()));
    return distances;
}

std::vector<double> kmeans_plusplus(const WeightedPoints& points, std::int64_t k, std::uint64_t seed,
                                    const ComputeOptions& options) {
    Draws draws(seed, RandomStream::KMeansPlusPlus);
    const auto n = static_cast<std::size_t>(points.n());
    std::vector<float> closest(n, std::numeric_limits<float>::infinity());
    std::vector<double> sums(n);
    const auto sum_up = [&](const std::vector<float>& distances, bool by_distance) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const double weight = points.weight(static_cast<std::int64_t>(i));
            sums[i] = sum += by_distance ? weight * static_cast<double>(distances[i]) : weight;
        }
    };
    const auto closer = [&](std::int64_t candidate) {
        std::vector<float> distances =
            points.distances(as_pixels(point_as_center(points, candidate), points.n_features()), options);
        std::transform(distances.begin(), distances.end(), closest.begin(), distances.begin(),
                       [](float a, float b) { return std::min(a, b); });
        return distances;
    };
    const auto potential = [&](const std::vector<float>& distances) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i)
            sum += points.weight(static_cast<std::int64_t>(i)) * static_cast<double>(distances[i]);
        return sum;
    };

    std::vector<double> centers;
    const int n_trials = 2 + static_cast<int>(std::log(static_cast<double>(k)));
    for (std::int64_t center = 0; center < k; ++center) {
        sum_up(closest, center > 0);
        std::int64_t best = -1;
        double best_potential = 0;
        std::vector<float> best_closest;
        for (int trial = 0; trial < (center == 0 ? 1 : n_trials); ++trial) {
            const std::int64_t candidate = draw(sums, draws.next());
            std::vector<float> distances = closer(candidate);
            const double sum = potential(distances);
            if (best >= 0 && sum >= best_potential) continue;
            best = candidate;
            best_potential = sum;
            best_closest = std::move(distances);
        }
        closest = std::move(best_closest);
        const std::vector<double> chosen = point_as_center(points, best);
        centers.insert(centers.end(), chosen.begin(), chosen.end());
    }
    return centers;
}

WeightedFit weighted_lloyd(const WeightedPoints& points, std::vector<double> centers, std::int64_t max_iter,
                           double tol, const ComputeOptions& options) {
    const double limit = tol * mean_variance(points);
    std::int64_t iterations = 0;
    while (iterations < max_iter) {
        const PatchCenters current = as_pixels(centers, points.n_features());
        const std::vector<std::uint16_t> labels = points.assign(current, options);
        ClusterMeans means(points, current.n_clusters);
        means.add(labels);
        refill_empty(points, current, labels, means, options);
        means.write_means(centers);
        ++iterations;
        if (shift_sq(centers, current.values) <= limit) break;
    }
    return finished(points, std::move(centers), iterations, options);
}

WeightedFit minibatch_kmeans(const WeightedPoints& points, std::vector<double> centers,
                             std::int64_t batch_size, std::int64_t max_iter, std::uint64_t seed,
                             const ComputeOptions& options) {
    Draws draws(seed, RandomStream::MiniBatch);
    std::vector<double> sums(static_cast<std::size_t>(points.n()));
    double sum = 0;
    for (std::int64_t i = 0; i < points.n(); ++i) sums[static_cast<std::size_t>(i)] = sum += points.weight(i);

    const std::int64_t n_features = points.n_features();
    std::vector<double> counts(centers.size() / static_cast<std::size_t>(n_features), 0);
    const std::int64_t n_batches = (points.n() + batch_size - 1) / batch_size * max_iter;
    for (std::int64_t batch = 0; batch < n_batches; ++batch) {
        std::vector<float> values;
        for (std::int64_t i = 0; i < batch_size; ++i) {
            const float* point = points.point(draw(sums, draws.next()));
            values.insert(values.end(), point, point + n_features);
        }
        const WeightedPoints drawn(n_features, std::move(values),
                                   std::vector<double>(static_cast<std::size_t>(batch_size), 1.0));
        const std::vector<std::uint16_t> labels = drawn.assign(as_pixels(centers, n_features), options);
        for (std::int64_t i = 0; i < batch_size; ++i) {
            const auto k = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)] - 1);
            const double rate = 1 / ++counts[k];
            double* center = centers.data() + static_cast<std::int64_t>(k) * n_features;
            for (std::int64_t f = 0; f < n_features; ++f) {
                center[f] += rate * (static_cast<double>(drawn.point(i)[f]) - center[f]);
            }
        }
    }
    return finished(points, std::move(centers), max_iter, options);
}

}  // namespace rastertide
