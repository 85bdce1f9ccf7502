// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/distance_sum.hpp"

#include <algorithm>
#include <limits>

#include <rastertide/reduce/score_statistics.hpp>

namespace rastertide {
namespace {

/// Distances of a tile in its shard's shape: their sums belong to runs of the raster's columns.
class ShardDistances {
  public:
    explicit ShardDistances(KMeansRun& run)
        : run_(run),
          distances_(make_buffer<float>(checked_mul(run.max_shard_pixels(), run.n_label_dates()))) {}

    void add(const Tile& tile, const float* pixels, const PatchCenters& centers,
             ScoreStatistics& statistics) {
        const std::int64_t n_pixels = tile.shard.n_pixels();
        if (tile.locations != tile.shard) {
            std::fill_n(distances_.get(), n_pixels * run_.n_label_dates(),
                        std::numeric_limits<float>::quiet_NaN());
        }
        const std::int64_t first =
            (tile.locations.row - tile.shard.row) * tile.shard.n_cols + tile.locations.col - tile.shard.col;
        patch_distances(run_.stack(tile, pixels), centers,
                        {distances_.get() + first, n_pixels, tile.shard.n_cols}, run_.options.compute);
        statistics.add_tile(distances_.get(), tile.shard.n_rows, tile.shard.n_cols,
                            run_.options.compute.n_threads);
    }

  private:
    KMeansRun& run_;
    Buffer<float> distances_;
};

double sum_over_ranks(Communicator& comm, const ScoreStatistics& statistics) {
    std::vector<std::int64_t> sums = statistics.sums();
    std::vector<double> extremes = statistics.extremes();
    comm.sum(sums);
    comm.max(extremes);
    const ScoreStatistics::Moments total = ScoreStatistics::from_parts(sums, extremes).total();
    return total.n == 0 ? 0 : total.mean * static_cast<double>(total.n);
}

}  // namespace

std::vector<double> distance_sums(KMeansRun& run, TilePasses& passes, const std::vector<PatchCenters>& sets) {
    std::vector<ScoreStatistics> statistics(sets.size(), ScoreStatistics(run.n_label_dates()));
    together(run.comm, [&] {
        ShardDistances distances(run);
        passes.for_each([&](std::int64_t, const Tile& tile, const float* pixels) {
            const StageClock::Timer timer(run.clock, Stage::Start);
            for (std::size_t i = 0; i < sets.size(); ++i) distances.add(tile, pixels, sets[i], statistics[i]);
        });
    });
    std::vector<double> sums;
    for (const ScoreStatistics& of_set : statistics) sums.push_back(sum_over_ranks(run.comm, of_set));
    return sums;
}

}  // namespace rastertide
