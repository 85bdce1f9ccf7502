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
// Multiply-adds below which one thread is used: to start and join others takes as long.
constexpr std::int64_t kWorkOfOneThread = std::int64_t{1} << 20;

/// Random numbers in a fixed order.
class Draws {
  public:
    Draws(std::uint64_t seed, RandomStream stream) : seed_(seed), stream_(stream) {}
    double next() {
        const RandomWords counter = {static_cast<std::uint32_t>(n_), static_cast<std::uint32_t>(n_ >> 32), 0,
                                     stream_word(stream_)};
        ++n_;
        return unit_double(philox(seed_, counter).a);
    }

  private:
    std::uint64_t seed_;
    RandomStream stream_;
    std::uint64_t n_ = 0;
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

/// Threads that pay, and the CPU in place of a device: points are few, and fits of several ranks, of which
/// some may have no device, must be the same to the bit.
ComputeOptions options_for(const WeightedPoints& points, const PatchCenters& centers,
                           ComputeOptions options) {
    if (resolve_backend(options.backend) == Backend::Cuda) options.backend = Backend::Cpu;
    const std::int64_t work = points.n() * static_cast<std::int64_t>(centers.values.size());
    if (work < kWorkOfOneThread) options.n_threads = 1;
    return options;
}

std::vector<double> point_as_center(const WeightedPoints& points, std::int64_t i) {
    return {points.point(i), points.point(i) + points.n_features()};
}

double shift_sq(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/// Weighted sums and means of the points of each cluster.
class ClusterMeans {
  public:
    ClusterMeans(const WeightedPoints& points, const std::vector<std::uint16_t>& labels, std::int64_t k)
        : points_(points),
          weights_(static_cast<std::size_t>(k)),
          sums_(static_cast<std::size_t>(k * points.n_features())) {
        for (std::int64_t i = 0; i < points.n(); ++i) add(labels[static_cast<std::size_t>(i)] - 1, i);
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
    void add(std::int64_t cluster, std::int64_t i) {
        const double weight = points_.weight(i);
        weights_[static_cast<std::size_t>(cluster)] += weight;
        double* sums = sums_.data() + cluster * points_.n_features();
        const float* point = points_.point(i);
        for (std::int64_t f = 0; f < points_.n_features(); ++f)
            sums[f] += weight * static_cast<double>(point[f]);
    }

    const WeightedPoints& points_;
    std::vector<double> weights_;
    std::vector<double> sums_;
};

std::vector<std::int64_t> cluster_sizes(const std::vector<std::uint16_t>& labels, std::int64_t k) {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(k));
    for (const std::uint16_t label : labels) ++sizes[label - 1U];
    return sizes;
}

/// Point numbers, the largest distance first. Equal ones keep their order: the same on any machine.
std::vector<std::size_t> farthest_first(const std::vector<float>& distances) {
    std::vector<std::size_t> order(distances.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return distances[a] > distances[b]; });
    return order;
}

/// Moves to each empty cluster the point that is farthest from its centre. A point alone in its cluster
/// stays: moved, it would only leave another one empty.
void refill_empty(const WeightedPoints& points, const PatchCenters& centers,
                  std::vector<std::uint16_t>& labels, const ComputeOptions& options) {
    std::vector<std::int64_t> sizes = cluster_sizes(labels, centers.n_clusters);
    if (std::find(sizes.begin(), sizes.end(), 0) == sizes.end()) return;
    const std::vector<float> distances = points.distances(centers, options);
    const std::vector<std::size_t> order = farthest_first(distances);
    auto next = order.begin();
    for (std::size_t k = 0; k < sizes.size(); ++k) {
        if (sizes[k] != 0) continue;
        while (next != order.end() && sizes[labels[*next] - 1U] == 1) ++next;
        if (next == order.end() || distances[*next] == 0) return;
        --sizes[labels[*next] - 1U];
        labels[*next] = static_cast<std::uint16_t>(k + 1);
        sizes[k] = 1;
        ++next;
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
    const ClusterMeans all(points, std::vector<std::uint16_t>(static_cast<std::size_t>(points.n()), 1), 1);
    std::vector<double> mean(static_cast<std::size_t>(points.n_features()));
    all.write_means(mean);
    double sum = 0;
    for (std::int64_t i = 0; i < points.n(); ++i) {
        sum += points.weight(i) * shift_sq(point_as_center(points, i), mean);
    }
    return sum / all.weights()[0] / static_cast<double>(points.n_features());
}

std::vector<double> running_weights(const WeightedPoints& points) {
    std::vector<double> sums(static_cast<std::size_t>(points.n()));
    double sum = 0;
    for (std::int64_t i = 0; i < points.n(); ++i) sums[static_cast<std::size_t>(i)] = sum += points.weight(i);
    return sums;
}

/// A point that may become the next centre, and what would be left then.
struct Candidate {
    Candidate(const WeightedPoints& points, std::int64_t i, const std::vector<float>& closest_before,
              const ComputeOptions& options)
        : point(i),
          closest(points.distances(as_pixels(point_as_center(points, i), points.n_features()), options)),
          running_sums(closest.size()) {
        double sum = 0;
        for (std::size_t at = 0; at < closest.size(); ++at) {
            closest[at] = std::min(closest[at], closest_before[at]);
            sum += points.weight(static_cast<std::int64_t>(at)) * static_cast<double>(closest[at]);
            running_sums[at] = sum;
        }
    }

    double potential() const { return running_sums.back(); }

    std::int64_t point;
    std::vector<float> closest;        // squared distances to the nearest centre
    std::vector<double> running_sums;  // of weight times closest
};

/// The best of some points drawn by what the centres so far leave.
Candidate best_candidate(const WeightedPoints& points, const Candidate& so_far, int n_trials, Draws& draws,
                         const ComputeOptions& options) {
    const auto drawn = [&] {
        return Candidate(points, draw(so_far.running_sums, draws.next()), so_far.closest, options);
    };
    Candidate best = drawn();
    for (int trial = 1; trial < n_trials; ++trial) {
        Candidate other = drawn();
        if (other.potential() < best.potential()) best = std::move(other);
    }
    return best;
}

/// Batches of points of weight 1, drawn by weight, with replacement.
class BatchDraws {
  public:
    BatchDraws(const WeightedPoints& points, std::uint64_t seed)
        : points_(points), sums_(running_weights(points)), draws_(seed, RandomStream::MiniBatch) {}

    WeightedPoints next(std::int64_t batch_size) {
        const std::int64_t m = points_.n_features();
        std::vector<float> values;
        values.reserve(static_cast<std::size_t>(batch_size * m));
        for (std::int64_t i = 0; i < batch_size; ++i) {
            const float* point = points_.point(draw(sums_, draws_.next()));
            values.insert(values.end(), point, point + m);
        }
        return {m, std::move(values), std::vector<double>(static_cast<std::size_t>(batch_size), 1.0)};
    }

  private:
    const WeightedPoints& points_;
    std::vector<double> sums_;
    Draws draws_;
};

/// Each centre goes on with its running mean. @param counts  [k]: points that each has been given
void move_to_batch(const WeightedPoints& batch, std::vector<double>& centers, std::vector<double>& counts,
                   const ComputeOptions& options) {
    const std::int64_t m = batch.n_features();
    const std::vector<std::uint16_t> labels = batch.assign(as_pixels(centers, m), options);
    for (std::int64_t i = 0; i < batch.n(); ++i) {
        const auto k = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)] - 1);
        const double rate = 1 / ++counts[k];
        double* center = centers.data() + static_cast<std::int64_t>(k) * m;
        for (std::int64_t f = 0; f < m; ++f)
            center[f] += rate * (static_cast<double>(batch.point(i)[f]) - center[f]);
    }
}

WeightedFit finished(const WeightedPoints& points, std::vector<double> centers, std::int64_t iterations,
                     const ComputeOptions& options) {
    WeightedFit fit;
    const PatchCenters as_patches = as_pixels(centers, points.n_features());
    fit.weights = ClusterMeans(points, points.assign(as_patches, options), as_patches.n_clusters).weights();
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
    if (!std::all_of(values_.begin(), values_.end(), [](float value) { return std::isfinite(value); }))
        throw InvalidArgument("weighted points: a value is not finite");
    if (!std::all_of(weights_.begin(), weights_.end(), [](double w) { return std::isfinite(w) && w > 0; }))
        throw InvalidArgument("weighted points: a weight is not a positive number");
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
    assign_patches(pixels, centers, fixed, {labels.data(), kBlock, kBlock}, nullptr,
                   options_for(*this, centers, options));
    labels.resize(static_cast<std::size_t>(n()));
    return labels;
}

std::vector<float> WeightedPoints::distances(const PatchCenters& centers,
                                             const ComputeOptions& options) const {
    const PixelStack pixels = blocks();
    std::vector<float> distances(static_cast<std::size_t>(pixels.n_dates * kBlock));
    patch_distances(pixels, centers, {distances.data(), kBlock, kBlock},
                    options_for(*this, centers, options));
    distances.resize(static_cast<std::size_t>(n()));
    return distances;
}

std::vector<double> kmeans_plusplus(const WeightedPoints& points, std::int64_t k, std::uint64_t seed,
                                    const ComputeOptions& options) {
    if (k < 1) throw InvalidArgument("k is " + std::to_string(k) + ", must be at least 1");
    Draws draws(seed, RandomStream::KMeansPlusPlus);
    const std::vector<float> nowhere(static_cast<std::size_t>(points.n()),
                                     std::numeric_limits<float>::infinity());
    Candidate chosen(points, draw(running_weights(points), draws.next()), nowhere, options);
    std::vector<double> centers = point_as_center(points, chosen.point);
    const int n_trials = 2 + static_cast<int>(std::log(static_cast<double>(k)));
    for (std::int64_t center = 1; center < k; ++center) {
        chosen = best_candidate(points, chosen, n_trials, draws, options);
        const std::vector<double> values = point_as_center(points, chosen.point);
        centers.insert(centers.end(), values.begin(), values.end());
    }
    return centers;
}

WeightedFit weighted_lloyd(const WeightedPoints& points, std::vector<double> centers, std::int64_t max_iter,
                           double tol, const ComputeOptions& options) {
    const double limit = tol * mean_variance(points);
    std::int64_t iterations = 0;
    while (iterations < max_iter) {
        const PatchCenters current = as_pixels(centers, points.n_features());
        std::vector<std::uint16_t> labels = points.assign(current, options);
        refill_empty(points, current, labels, options);
        ClusterMeans(points, labels, current.n_clusters).write_means(centers);
        ++iterations;
        if (shift_sq(centers, current.values) <= limit) break;
    }
    return finished(points, std::move(centers), iterations, options);
}

WeightedFit minibatch_kmeans(const WeightedPoints& points, std::vector<double> centers,
                             std::int64_t batch_size, std::int64_t max_iter, double tol, std::uint64_t seed,
                             const ComputeOptions& options) {
    if (batch_size < 1)
        throw InvalidArgument("batch size is " + std::to_string(batch_size) + ", must be at least 1");
    const double limit = tol * mean_variance(points);
    const std::int64_t n_batches = (points.n() + batch_size - 1) / batch_size;  // of a pass
    BatchDraws draws(points, seed);
    std::vector<double> counts(centers.size() / static_cast<std::size_t>(points.n_features()), 0);
    std::int64_t n_passes = 0;
    while (n_passes < max_iter) {
        const std::vector<double> before = centers;
        for (std::int64_t batch = 0; batch < n_batches; ++batch)
            move_to_batch(draws.next(batch_size), centers, counts, options);
        ++n_passes;
        if (shift_sq(centers, before) <= limit) break;
    }
    return finished(points, std::move(centers), n_passes, options);
}

}  // namespace rastertide
