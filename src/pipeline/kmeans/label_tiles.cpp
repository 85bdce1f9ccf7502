// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/parallel_for.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {
namespace {

class TileLabeler {
  public:
    TileLabeler(KMeansRun& run, const PatchCenters& centers, const FixedPoint& fixed, bool with_sums)
        : run_(run),
          centers_(centers),
          fixed_(fixed),
          with_sums_(with_sums),
          counts_{PatchSums(centers.n_clusters, centers.n_features()), {}},
          has_results_(run.plan.tiles.size(), 0),
          format_(run.shard_format(label_type(centers.n_clusters), 0)) {
        counts_.by_date.assign(static_cast<std::size_t>(run.n_label_dates()),
                               std::vector<std::int64_t>(static_cast<std::size_t>(centers.n_clusters), 0));
        const std::int64_t n_values = checked_mul(run.max_shard_pixels(), run.n_label_dates());
        for (Buffer<std::uint16_t>& labels : labels_) labels = make_buffer<std::uint16_t>(n_values);
    }

    void label(const Tile& tile, const float* pixels) {
        slot_ = 1 - slot_;  // the other one may still be written
        std::uint16_t* labels = labels_[slot_].get();
        {
            const StageClock::Timer timer(run_.clock, Stage::Label);
            assign(tile, pixels, labels);
            count(tile, labels);
        }
        const std::int64_t n_values = tile.shard.n_pixels() * run_.n_label_dates();
        const bool any =
            std::any_of(labels, labels + n_values, [](std::uint16_t label) { return label != 0; });
        write_.wait();  // its buffer is the next tile's
        if (!any) return;
        has_results_[run_.place_of(tile)] = 1;
        write_.start([this, tile, labels] { write(tile, labels); });
    }

    void finish() { write_.wait(); }
    LabelCounts& counts() { return counts_; }
    std::vector<std::int64_t>& has_results() { return has_results_; }

  private:
    void assign(const Tile& tile, const float* pixels, std::uint16_t* labels) {
        if (tile.locations != tile.shard) {  // the rim of the raster has no label
            std::fill_n(labels, tile.shard.n_pixels() * run_.n_label_dates(), std::uint16_t{0});
        }
        if (tile.locations.empty()) return;
        const std::int64_t first =
            (tile.locations.row - tile.shard.row) * tile.shard.n_cols + tile.locations.col - tile.shard.col;
        assign_patches(run_.stack(tile, pixels), centers_, fixed_,
                       {labels + first, tile.shard.n_pixels(), tile.shard.n_cols},
                       with_sums_ ? &counts_.sums : nullptr, run_.options.compute);
    }

    void count(const Tile& tile, const std::uint16_t* labels) {
        const std::int64_t n_pixels = tile.shard.n_pixels();
        parallel_for(run_.n_label_dates(), run_.options.compute.n_threads, [&](std::int64_t date) {
            std::vector<std::int64_t> n(static_cast<std::size_t>(centers_.n_clusters) + 1, 0);
            const std::uint16_t* of_date = labels + date * n_pixels;
            for (std::int64_t i = 0; i < n_pixels; ++i) ++n[of_date[i]];
            std::vector<std::int64_t>& total = counts_.by_date[static_cast<std::size_t>(date)];
            for (std::size_t k = 0; k < total.size(); ++k) total[k] += n[k + 1];
        });
    }

    void write(const Tile& tile, const std::uint16_t* labels) {
        const std::int64_t n_values = tile.shard.n_pixels() * run_.n_label_dates();
        const StageClock::Timer timer(run_.clock, Stage::WriteLabels, n_values * bytes_of(format_.type));
        const void* data = labels;
        std::vector<std::uint8_t> bytes;
        if (format_.type == SampleType::Byte) {
            bytes.assign(labels, labels + n_values);
            data = bytes.data();
        }
        write_shard(run_.shard_file(kLabelProduct, tile), run_.shard_grid(tile), run_.n_label_dates(),
                    format_, data);
    }

    KMeansRun& run_;
    const PatchCenters& centers_;
    FixedPoint fixed_;
    bool with_sums_;
    LabelCounts counts_;
    std::vector<std::int64_t> has_results_;  // of this rank's tiles
    ShardFormat format_;
    Buffer<std::uint16_t> labels_[2];
    int slot_ = 0;
    PendingWrite write_;  // last: its end comes before the buffers'
};

/// Numbers of the patches of each cluster over all dates.
void set_counts(LabelCounts& counts) {
    for (std::int64_t k = 0; k < counts.sums.n_clusters(); ++k) {
        counts.sums.count(k) = 0;
        for (const std::vector<std::int64_t>& of_date : counts.by_date)
            counts.sums.count(k) += of_date[static_cast<std::size_t>(k)];
    }
}

}  // namespace

LabelCounts label_tiles(KMeansRun& run, TilePasses& passes, const PatchCenters& centers,
                        const FixedPoint& fixed, bool with_sums, const ProgressFn& progress) {
    std::unique_ptr<TileLabeler> labeler;
    together(run.comm, [&] {
        labeler = std::make_unique<TileLabeler>(run, centers, fixed, with_sums);
        passes.for_each([&](std::int64_t place, const Tile& tile, const float* pixels) {
            labeler->label(tile, pixels);
            if (progress) progress(static_cast<double>(place + 1) / static_cast<double>(passes.n_tiles()));
        });
        labeler->finish();
    });
    run.has_results = std::move(labeler->has_results());
    run.comm.sum(run.has_results);
    LabelCounts& counts = labeler->counts();
    if (with_sums) run.comm.sum(counts.sums.state());
    for (std::vector<std::int64_t>& of_date : counts.by_date) run.comm.sum(of_date);
    set_counts(counts);
    return counts;
}

}  // namespace rastertide
