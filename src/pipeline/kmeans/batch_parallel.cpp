// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include <rastertide/core/error.hpp>

#include "core/counter_random.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/point_fit.hpp"

namespace rastertide {
namespace {

// The parts' centres are on the way only: they need not converge as far.
constexpr double kPartTol = 50;  // times -tol

/// A band of rows of locations.
struct Part {
    std::int64_t first_row;
    std::int64_t end_row;
};

/// Rows are shared by the parts as evenly as they can be, whatever the tiles.
Part part_rows(const KMeansRun& run, std::int64_t i_part) {
    const std::int64_t half = run.options.patch_size / 2;
    const std::int64_t n_rows = run.series.grid().n_rows - 2 * half;
    return {half + i_part * n_rows / run.options.parts, half + (i_part + 1) * n_rows / run.options.parts};
}

/// What of the plan's tiles lies in a part.
std::vector<Tile> part_tiles(const KMeansRun& run, const Part& part) {
    const std::int64_t half = run.options.patch_size / 2;
    std::vector<Tile> tiles;
    for (Tile tile : run.plan.tiles) {
        Window& locations = tile.locations;
        const std::int64_t first = std::max(locations.row, part.first_row);
        const std::int64_t end = std::min(locations.row + locations.n_rows, part.end_row);
        if (first >= end || locations.empty()) continue;
        tile.source.row += first - locations.row;
        tile.source.n_rows = end - first + 2 * half;
        locations.row = first;
        locations.n_rows = end - first;
        tiles.push_back(tile);
    }
    return tiles;
}

PatchList part_sample(const KMeansRun& run, const PatchList& sample, const Part& part) {
    const Grid& grid = run.series.grid();
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < sample.n(); ++i) {
        const std::int64_t row = sample.index(i) / grid.n_cols % grid.n_rows;
        if (row >= part.first_row && row < part.end_row) places.push_back(i);
    }
    return sample.select(places);
}

WeightedPoints as_points(const PatchList& patches) {
    return {patches.n_features(), patches.all_values(), patches.keys()};
}

/// Fits that end with the clusters of one part; none if it has no sampled patch.
std::vector<KMeansFit> cluster_part(KMeansRun& run, const StackMoments& moments, const PatchList& sample,
                                    std::vector<KMeansFit> fits, std::int64_t i_part,
                                    std::int64_t keep_bytes) {
    const Part part = part_rows(run, i_part);
    const PatchList own_sample = part_sample(run, sample, part);
    if (own_sample.n() == 0) return {};
    const WeightedPoints points = as_points(own_sample);
    for (std::size_t i = 0; i < fits.size(); ++i) {
        const std::uint64_t seed =
            random_key(run.options.seed + i, RandomStream::KMeansDraw, static_cast<std::uint32_t>(i_part));
        PatchCenters centers = fits[i].centers;
        centers.n_clusters = clusters_of_part(centers.n_clusters);
        centers.values =
            weighted_lloyd(points, kmeans_plusplus(points, centers.n_clusters, seed, run.options.compute),
                           run.options.max_iter, run.options.tol, run.options.compute)
                .centers;
        fits[i] = new_fit(std::move(centers));
    }
    const std::unique_ptr<Communicator> alone = make_serial_communicator();
    TilePasses passes(run, part_tiles(run, part), keep_bytes);
    lloyd(run, *alone, passes, moments, {run.options.max_iter, kPartTol * run.options.tol, true}, fits, {});
    return fits;
}

/// Centres and sizes of one fit of one part, as bits that other ranks add zeros to.
std::vector<std::int64_t> bits_of(const KMeansFit& fit) {
    std::vector<std::int64_t> bits;
    for (const double value : fit.centers.values) bits.push_back(std::bit_cast<std::int64_t>(value));
    for (std::int64_t k = 0; k < fit.centers.n_clusters; ++k) bits.push_back(fit.sums.count(k));
    return bits;
}

/// The centres of all parts, weighted by their sizes.
class PartCenters {
  public:
    explicit PartCenters(const KMeansFit& fit) : fit_(fit) {}

    /// @param bits  of a part, from all ranks together
    void add(const std::vector<std::int64_t>& bits) {
        const std::int64_t m = fit_.centers.n_features();
        const auto k = static_cast<std::int64_t>(bits.size()) / (m + 1);
        for (std::int64_t i = 0; i < k; ++i) {
            const std::int64_t size = bits[static_cast<std::size_t>(k * m + i)];
            if (size == 0) continue;
            weights_.push_back(static_cast<double>(size));
            for (std::int64_t f = 0; f < m; ++f)
                values_.push_back(
                    static_cast<float>(std::bit_cast<double>(bits[static_cast<std::size_t>(i * m + f)])));
        }
    }

    std::vector<double> clustered(const RunKMeansOptions& options) const {
        const WeightedPoints points(fit_.centers.n_features(), values_, weights_);
        return best_of_starts(points, fit_.centers.n_clusters, options, options.seed).centers;
    }

  private:
    const KMeansFit& fit_;
    std::vector<float> values_;
    std::vector<double> weights_;
};

}  // namespace

std::int64_t clusters_of_part(std::int64_t n_clusters) {
    constexpr std::int64_t kFiner = 2;
    return std::min(kFiner * n_clusters, kMaxClusters);
}

void batch_parallel(KMeansRun& run, const StackMoments& moments, const PatchList& sample,
                    std::int64_t keep_bytes, std::vector<KMeansFit>& fits, const ProgressFn& progress) {
    const std::int64_t n_parts = run.options.parts;
    std::vector<std::vector<KMeansFit>> parts(static_cast<std::size_t>(n_parts));
    together(run.comm, [&] {
        for (std::int64_t part = run.comm.rank(); part < n_parts; part += run.comm.size()) {
            try {
                parts[static_cast<std::size_t>(part)] =
                    cluster_part(run, moments, sample, fits, part, keep_bytes);
            } catch (const AgreedError& error) {  // by one rank with itself: the others do not know
                throw_if_stopped();
                if (!error.unreadable_input().empty())
                    throw UnreadableInput(error.unreadable_input(), error.what());
                throw Error(error.what());
            }
            if (progress) progress(static_cast<double>(part + 1) / static_cast<double>(n_parts));
        }
    });
    for (std::size_t i = 0; i < fits.size(); ++i) {
        PartCenters centers(fits[i]);
        std::int64_t most_iterations = 0;
        for (const std::vector<KMeansFit>& part : parts) {
            std::vector<std::int64_t> bits(static_cast<std::size_t>(
                clusters_of_part(fits[i].centers.n_clusters) * (run.n_features() + 1)));
            std::int64_t iterations = 0;
            if (!part.empty()) {
                bits = bits_of(part[i]);
                iterations = part[i].iterations;
            }
            run.comm.sum(bits);
            run.comm.sum({&iterations, 1});
            centers.add(bits);
            most_iterations = std::max(most_iterations, iterations);
        }
        fits[i].centers.values = centers.clustered(run.options);
        fits[i].iterations = most_iterations;
    }
}

}  // namespace rastertide
