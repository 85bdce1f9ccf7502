// SPDX-License-Identifier: Apache-2.0
#include "pipeline/lof/lof_run.hpp"

namespace rastertide {
namespace {

class AnomalyMarker {
  public:
    AnomalyMarker(LofRun& run, double threshold)
        : run_(run), threshold_(threshold), date_counts_(static_cast<std::size_t>(run.n_dates()), 0) {
        const std::int64_t n_values = run.max_shard_values();
        const std::int64_t n_pixels = n_values / run.n_dates();
        for (Slot slot : {0, 1}) {
            scores_[slot] = make_buffer<float>(n_values);
            mask_[slot] = make_buffer<std::uint8_t>(n_values);
            count_[slot] = make_buffer<std::uint16_t>(n_pixels);
            max_score_[slot] = make_buffer<float>(n_pixels);
            max_date_[slot] = make_buffer<std::uint16_t>(n_pixels);
        }
    }

    void load(const Tile& tile, Slot slot) {
        const StageClock::Timer timer(run_.clock, Stage::ReadScores, run_.score_bytes(tile));
        run_.read_scores(tile, scores_[slot].get());
    }

    void work(const Tile& tile, Slot slot) {
        {
            const StageClock::Timer timer(run_.clock, Stage::Anomalies);
            const std::int64_t n_pixels = tile.shard.n_pixels();
            find_anomalies(scores_[slot].get(), run_.n_dates(), n_pixels, threshold_,
                           {mask_[slot].get(), count_[slot].get(), max_score_[slot].get(),
                            max_date_[slot].get(), date_counts_.data()},
                           run_.options.compute.n_threads);
            for (std::int64_t i = 0; i < n_pixels; ++i) {
                const std::uint16_t count = count_[slot][static_cast<std::size_t>(i)];
                n_anomalous_locations_ += count != kCountNodata && count > 0 ? 1 : 0;
            }
        }
        // The other slot's write must end before its buffers are filled again.
        write_.wait();
        if (run_.has_shard(tile)) write_.start([this, &tile, slot] { write(tile, slot); });
    }

    void finish() { write_.wait(); }

    /// Over all ranks. Collective.
    AnomalyCounts reduce() {
        AnomalyCounts counts{date_counts_, n_anomalous_locations_};
        run_.comm.sum(counts.by_date);
        run_.comm.sum({&counts.n_anomalous_locations, 1});
        return counts;
    }

  private:
    void write(const Tile& tile, Slot slot) {
        const StageClock::Timer timer(run_.clock, Stage::WriteMasks,
                                      tile.shard.n_pixels() * (run_.n_dates() + std::int64_t{8}));
        const auto write_one = [&](const char* product, std::int64_t n_bands, const ShardFormat& format,
                                   const void* data) {
            write_shard(run_.shard_file(product, tile), run_.shard_grid(tile), n_bands, format, data);
        };
        const auto format = [&](SampleType type, double nodata) { return run_.shard_format(type, nodata); };
        write_one(kAnomalyProduct, run_.n_dates(), format(SampleType::Byte, kMaskNodata), mask_[slot].get());
        write_one(kCountProduct, 1, format(SampleType::UInt16, kCountNodata), count_[slot].get());
        write_one(kMaxProduct, 1, run_.score_format(), max_score_[slot].get());
        write_one(kMaxDateProduct, 1, format(SampleType::UInt16, kDateNodata), max_date_[slot].get());
    }

    template <class T>
    using TwoBuffers = std::array<Buffer<T>, 2>;

    LofRun& run_;
    double threshold_;
    std::vector<std::int64_t> date_counts_;
    std::int64_t n_anomalous_locations_ = 0;
    TwoBuffers<float> scores_;
    TwoBuffers<std::uint8_t> mask_;
    TwoBuffers<std::uint16_t> count_;
    TwoBuffers<float> max_score_;
    TwoBuffers<std::uint16_t> max_date_;
    PendingWrite write_;  // last: its end comes before the buffers'
};

}  // namespace

AnomalyCounts mark_anomalies(LofRun& run, double threshold, const ProgressFn& progress) {
    std::unique_ptr<AnomalyMarker> marker;
    together(run.comm, [&] { marker = std::make_unique<AnomalyMarker>(run, threshold); });
    for_each_tile(
        run.comm, run.plan, [&](const Tile& tile, Slot slot) { marker->load(tile, slot); },
        [&](const Tile& tile, Slot slot) { marker->work(tile, slot); }, [&] { marker->finish(); }, progress);
    return marker->reduce();
}

}  // namespace rastertide
