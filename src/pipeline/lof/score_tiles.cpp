// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "pipeline/lof/lof_run.hpp"

namespace rastertide {
namespace {

class TileScorer {
  public:
    explicit TileScorer(LofRun& run)
        : run_(run), statistics_(run.n_dates()), has_results_(run.plan.tiles.size(), 0) {
        for (Slot slot : {0, 1}) {
            pixels_[slot] = make_buffer<float>(run.max_source_values());
            scores_[slot] = make_buffer<float>(run.max_shard_values());
        }
    }

    void load(const Tile& tile, Slot slot) {
        is_scored_[slot] = run_.resumed && load_scores(tile, slot);
        if (!is_scored_[slot]) run_.read_pixels(tile, pixels_[slot].get());
    }

    void work(const Tile& tile, Slot slot) {
        const float* scores = pixels_[slot].get();
        if (!is_scored_[slot]) {
            if (!any_valid(scores, run_.source_values(tile))) return write_.wait();
            score(tile, slot);
            scores = scores_[slot].get();
        }
        // The other slot's write must end before its buffer is scored into again.
        write_.wait();
        if (!any_valid(scores, tile.shard.n_pixels() * run_.n_dates())) return;
        add_statistics(tile, scores);
        has_results_[run_.place_of(tile)] = 1;
        if (!is_scored_[slot]) write_.start([this, &tile, slot] { write(tile, slot); });
    }

    void finish() { write_.wait(); }

    const ScoreStatistics& statistics() const { return statistics_; }
    std::vector<std::int64_t>& has_results() { return has_results_; }

  private:
    static bool any_valid(const float* values, std::int64_t n) {
        return std::any_of(values, values + n, [](float value) { return !std::isnan(value); });
    }

    /// Reads the scores of a shard that an earlier call has written, in place of pixels: the other slot's
    /// scores may still be written. @return whether there is a whole one
    bool load_scores(const Tile& tile, Slot slot) const {
        if (tile.source.n_pixels() < tile.shard.n_pixels()) return false;  // a rim without locations
        if (!std::filesystem::exists(run_.shard_file(kLofProduct, tile))) return false;
        const StageClock::Timer timer(run_.clock, Stage::Read, run_.score_bytes(tile));
        try {
            run_.read_scores(tile, pixels_[slot].get());
            return true;
        } catch (const IoError& error) {
            log(run_.logger, LogLevel::Warning, std::string(error.what()) + "; its tile is scored again");
            return false;
        }
    }

    void score(const Tile& tile, Slot slot) {
        const StageClock::Timer timer(run_.clock, Stage::Lof);
        float* scores = scores_[slot].get();
        if (tile.locations != tile.shard) {  // the rim of the raster has no score
            std::fill_n(scores, tile.shard.n_pixels() * run_.n_dates(),
                        std::numeric_limits<float>::quiet_NaN());
        }
        if (tile.locations.empty()) return;
        const PixelStack pixels = {pixels_[slot].get(), run_.n_dates(),     run_.series.n_bands(),
                                   tile.source.n_rows,  tile.source.n_cols, tile.locations.row,
                                   tile.locations.col};
        const std::int64_t first =
            (tile.locations.row - tile.shard.row) * tile.shard.n_cols + (tile.locations.col - tile.shard.col);
        lof(pixels, run_.options.lof, {scores + first, tile.shard.n_pixels(), tile.shard.n_cols},
            run_.options.compute);
    }

    void add_statistics(const Tile& tile, const float* scores) {
        const StageClock::Timer timer(run_.clock, Stage::Statistics);
        statistics_.add_tile(scores, tile.shard.n_rows, tile.shard.n_cols, run_.options.compute.n_threads);
    }

    void write(const Tile& tile, Slot slot) {
        const StageClock::Timer timer(run_.clock, Stage::WriteScores, run_.score_bytes(tile));
        write_shard(run_.shard_file(kLofProduct, tile), run_.shard_grid(tile), run_.n_dates(),
                    run_.score_format(), scores_[slot].get());
    }

    LofRun& run_;
    ScoreStatistics statistics_;
    std::vector<std::int64_t> has_results_;  // of this rank's tiles
    std::array<Buffer<float>, 2> pixels_;
    std::array<Buffer<float>, 2> scores_;
    std::array<bool, 2> is_scored_ = {};  // by an earlier call
    PendingWrite write_;                  // last: its end comes before the buffers'
};

}  // namespace

ScoreStatistics score_tiles(LofRun& run, const ProgressFn& progress) {
    std::unique_ptr<TileScorer> scorer;
    together(run.comm, [&] { scorer = std::make_unique<TileScorer>(run); });
    for_each_tile(
        run.comm, run.plan, [&](const Tile& tile, Slot slot) { scorer->load(tile, slot); },
        [&](const Tile& tile, Slot slot) { scorer->work(tile, slot); }, [&] { scorer->finish(); }, progress);

    run.has_results = std::move(scorer->has_results());
    run.comm.sum(run.has_results);
    std::vector<std::int64_t> sums = scorer->statistics().sums();
    std::vector<double> extremes = scorer->statistics().extremes();
    run.comm.sum(sums);
    run.comm.max(extremes);
    return ScoreStatistics::from_parts(sums, extremes);
}

}  // namespace rastertide
