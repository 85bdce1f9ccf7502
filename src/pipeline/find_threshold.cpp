// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <rastertide/reduce/score_histogram.hpp>

#include "pipeline/lof_run.hpp"

namespace rastertide {
namespace {

/// Counts all scores of the run, read back from their shards. Collective.
void count_scores(LofRun& run, ScoreHistogram& histogram, const ProgressFn& progress) {
    std::array<std::unique_ptr<float[]>, 2> scores;
    together(run.comm, [&] {
        for (Slot slot : {0, 1}) scores[slot] = make_buffer<float>(run.max_shard_values());
    });
    const StageClock::Timer timer(run.clock, Stage::Threshold);
    for_each_tile(
        run.comm, run.plan, [&](const Tile& tile, Slot slot) { run.read_scores(tile, scores[slot].get()); },
        [&](const Tile& tile, Slot slot) {
            histogram.add(scores[slot].get(), tile.shard.n_pixels() * run.n_dates(),
                          run.options.compute.n_threads);
        },
        [] {}, progress);
    run.comm.sum(histogram.counts());
}

float order_statistic(LofRun& run, ScoreHistogram::Position coarse, std::int64_t rank) {
    ScoreHistogram fine = ScoreHistogram::fine(coarse.bin);
    count_scores(run, fine, {});
    return ScoreHistogram::value(coarse.bin, fine.find(rank - coarse.n_before).bin);
}

double quantile(LofRun& run, double q, const ProgressFn& progress) {
    ScoreHistogram coarse;
    count_scores(run, coarse, progress);
    const double position = q * static_cast<double>(coarse.total() - 1);
    const auto lower_rank = static_cast<std::int64_t>(std::floor(position));
    const auto upper_rank = static_cast<std::int64_t>(std::ceil(position));

    const ScoreHistogram::Position lower_bin = coarse.find(lower_rank);
    const ScoreHistogram::Position upper_bin = coarse.find(upper_rank);
    ScoreHistogram fine = ScoreHistogram::fine(lower_bin.bin);
    count_scores(run, fine, {});
    const float lower = ScoreHistogram::value(lower_bin.bin, fine.find(lower_rank - lower_bin.n_before).bin);
    const float upper =
        upper_bin.bin == lower_bin.bin
            ? ScoreHistogram::value(upper_bin.bin, fine.find(upper_rank - upper_bin.n_before).bin)
            : order_statistic(run, upper_bin, upper_rank);
    return lower + (static_cast<double>(upper) - lower) * (position - std::floor(position));
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
