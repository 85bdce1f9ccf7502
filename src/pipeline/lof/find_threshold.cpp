// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <rastertide/reduce/score_histogram.hpp>

#include "pipeline/lof/lof_run.hpp"

namespace rastertide {
namespace {

/// Counts all scores of the run, read back from their shards. Collective.
void count_scores(LofRun& run, ScoreHistogram& histogram, const ProgressFn& progress) {
    std::array<Buffer<float>, 2> scores;
    together(run.comm, [&] {
        for (Slot slot : {0, 1}) scores[slot] = make_buffer<float>(run.max_shard_values());
    });
    for_each_tile(
        run.comm, run.plan,
        [&](const Tile& tile, Slot slot) {
            const StageClock::Timer timer(run.clock, Stage::Threshold, run.score_bytes(tile));
            run.read_scores(tile, scores[slot].get());
        },
        [&](const Tile& tile, Slot slot) {
            histogram.add(scores[slot].get(), tile.shard.n_pixels() * run.n_dates(),
                          run.options.compute.n_threads);
        },
        [] {}, progress);
    run.comm.sum(histogram.counts());
}

/// The score that has `rank` scores before it in order. Collective.
float order_statistic(LofRun& run, const ScoreHistogram& coarse, std::int64_t rank) {
    const ScoreHistogram::Position position = coarse.find(rank);
    ScoreHistogram fine = ScoreHistogram::fine(position.bin);
    count_scores(run, fine, {});
    return ScoreHistogram::value(position.bin, fine.find(rank - position.n_before).bin);
}

double quantile(LofRun& run, double q, const ProgressFn& progress) {
    ScoreHistogram coarse;
    count_scores(run, coarse, progress);
    const double position = q * static_cast<double>(coarse.total() - 1);
    const auto rank = static_cast<std::int64_t>(std::floor(position));
    const double fraction = position - std::floor(position);
    const double lower = order_statistic(run, coarse, rank);
    if (fraction == 0) return lower;
    return lower + (order_statistic(run, coarse, rank + 1) - lower) * fraction;
}

}  // namespace

double find_threshold(LofRun& run, const ScoreStatistics& statistics, const ProgressFn& progress) {
    const Threshold& threshold = run.options.threshold;
    const ScoreStatistics::Moments total = statistics.total();
    if (total.n == 0) return std::numeric_limits<double>::quiet_NaN();
    switch (threshold.kind) {
        case Threshold::Kind::Sigma:
            return total.mean + threshold.amount * total.std;
        case Threshold::Kind::Quantile:
            return quantile(run, threshold.amount, progress);
        case Threshold::Kind::Value:
            return threshold.amount;
    }
    throw InternalError("unknown kind of threshold");
}

}  // namespace rastertide
