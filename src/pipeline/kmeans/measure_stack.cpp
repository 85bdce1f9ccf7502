// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include <rastertide/compute/patch_moments.hpp>
#include <rastertide/core/error.hpp>
#include <rastertide/reduce/score_statistics.hpp>

#include "core/number_text.hpp"
#include "core/parallel_for.hpp"
#include "pipeline/kmeans/kmeans_options.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/kmeans/pick_patches.hpp"
#include "pipeline/kmeans/stack_share.hpp"

namespace rastertide {
namespace {

/// Largest and smallest pixel of the tiles, which their halos share with others.
class ValueRange {
  public:
    void add(const float* pixels, std::int64_t n, int n_threads) {
        constexpr std::int64_t kBlock = 1 << 16;
        std::mutex mutex;
        parallel_for((n + kBlock - 1) / kBlock, n_threads, [&](std::int64_t block) {
            const std::int64_t first = block * kBlock;
            float low = std::numeric_limits<float>::infinity();
            float high = -low;
            for (std::int64_t i = first; i < std::min(n, first + kBlock); ++i) {
                low = pixels[i] < low ? pixels[i] : low;  // false for NaN
                high = pixels[i] > high ? pixels[i] : high;
            }
            const std::scoped_lock lock(mutex);
            min_ = std::min(min_, static_cast<double>(low));
            max_ = std::max(max_, static_cast<double>(high));
        });
    }
    /// Over all ranks. Collective.
    void reduce(Communicator& comm) {
        double extremes[] = {max_, -min_};
        comm.max(extremes);
        max_ = extremes[0];
        min_ = -extremes[1];
    }
    double min() const { return min_; }
    double max() const { return max_; }

  private:
    double min_ = std::numeric_limits<double>::infinity();
    double max_ = -std::numeric_limits<double>::infinity();
};

/// Statistics of the centre pixels of all patches that hold no NaN: each location belongs to one tile.
class CenterPixels {
  public:
    explicit CenterPixels(KMeansRun& run)
        : run_(run),
          n_planes_(run.n_label_dates() * run.n_sample_bands()),
          planes_(make_buffer<float>(checked_mul(run.max_shard_pixels(), n_planes_))),
          labels_(make_buffer<std::uint16_t>(checked_mul(run.max_shard_pixels(), run.n_label_dates()))),
          statistics_(n_planes_) {}

    void add(const Tile& tile, const float* pixels) {
        find_valid(tile, pixels);
        const std::int64_t n_pixels = tile.shard.n_pixels();
        parallel_for(n_planes_, run_.options.compute.n_threads, [&](std::int64_t plane) {
            copy_centers(tile, pixels + plane * tile.source.n_pixels(),
                         labels_.get() + plane / run_.n_sample_bands() * tile.locations.n_pixels(),
                         planes_.get() + plane * n_pixels);
        });
        statistics_.add_tile(planes_.get(), tile.shard.n_rows, tile.shard.n_cols,
                             run_.options.compute.n_threads);
    }
    /// Over all ranks. Collective.
    ScoreStatistics::Moments reduce() {
        std::vector<std::int64_t> sums = statistics_.sums();
        std::vector<double> extremes = statistics_.extremes();
        run_.comm.sum(sums);
        run_.comm.max(extremes);
        return ScoreStatistics::from_parts(sums, extremes).total();
    }

  private:
    /// With one cluster, a label says that the patch is valid.
    void find_valid(const Tile& tile, const float* pixels) {
        const PatchCenters zero = constant_center(run_, 0);
        assign_patches(run_.stack(tile, pixels), zero, {},
                       {labels_.get(), tile.locations.n_pixels(), tile.locations.n_cols}, nullptr,
                       run_.options.compute);
    }
    void copy_centers(const Tile& tile, const float* pixels, const std::uint16_t* labels,
                      float* plane) const {
        std::fill_n(plane, tile.shard.n_pixels(), std::numeric_limits<float>::quiet_NaN());
        for (std::int64_t row = 0; row < tile.locations.n_rows; ++row) {
            const std::int64_t source_row = tile.locations.row - tile.source.row + row;
            const float* from =
                pixels + source_row * tile.source.n_cols + tile.locations.col - tile.source.col;
            float* to = plane + (tile.locations.row - tile.shard.row + row) * tile.shard.n_cols +
                        tile.locations.col - tile.shard.col;
            const std::uint16_t* label = labels + row * tile.locations.n_cols;
            for (std::int64_t col = 0; col < tile.locations.n_cols; ++col) {
                if (label[col] != 0) to[col] = from[col];
            }
        }
    }

    KMeansRun& run_;
    std::int64_t n_planes_;
    Buffer<float> planes_;
    Buffer<std::uint16_t> labels_;
    ScoreStatistics statistics_;
};

void require_something_to_cluster(const KMeansRun& run, const StackMoments& moments,
                                  const ValueRange& range) {
    if (moments.n_patches == 0) {
        throw InvalidArgument("the stack has no patch of " + std::to_string(run.options.patch_size) + " x " +
                              std::to_string(run.options.patch_size) + " valid pixels: nothing to cluster");
    }
    require_patches(run.options, moments.n_patches);
    if (range.min() == range.max() && run.options.max_clusters > 1) {
        throw InvalidArgument("every valid pixel is " + number_text(range.min()) +
                              ": nothing to cluster, expected pixels that differ");
    }
}

/// Float32 squares of smaller differences vanish.
void require_differences(const StackMoments& moments, const ValueRange& range) {
    constexpr double kLeast = 1e-15;
    if (range.min() == range.max() || std::sqrt(moments.pixel_variance) >= kLeast) return;
    throw InvalidArgument("the standard deviation of the pixels is " +
                          number_text(std::sqrt(moments.pixel_variance)) +
                          ", expected at least 1e-15: Float32 cannot tell patches apart, scale the pixels");
}

/// Sums keep 30 to 42 bits of the range: one wild value takes them from all others.
void warn_of_coarse_steps(const KMeansRun& run, const StackMoments& moments, const ValueRange& range) {
    constexpr double kCoarse = 1e-3;
    const double step = 1 / moments.fixed.scale();
    if (range.min() == range.max() || step <= kCoarse * std::sqrt(moments.pixel_variance)) return;
    run.say(LogLevel::Warning, "pixels from " + number_text(range.min()) + " to " + number_text(range.max()) +
                                   " with a standard deviation of " +
                                   number_text(std::sqrt(moments.pixel_variance)) +
                                   ": centres are exact to " + number_text(step) +
                                   " only; are some values nodata (-srcnodata)?");
}

double feature_variance(const PatchSums& total, const StackMoments& moments) {
    const auto n = static_cast<long double>(moments.n_patches);
    long double squared_sums = 0;
    for (const std::int64_t sum : total.sums(0)) {
        const long double value = std::ldexp(static_cast<long double>(sum), -moments.fixed.exponent);
        squared_sums += value * value;
    }
    const long double spread = moments.squares.value(moments.fixed) - squared_sums / n;
    return static_cast<double>(spread / n / static_cast<long double>(total.n_features()));
}

}  // namespace

PatchCenters constant_center(const KMeansRun& run, double value) {
    return {run.options.patch_size, run.n_sample_bands(), 1,
            std::vector<double>(static_cast<std::size_t>(run.n_features()), value)};
}

StackMoments measure_stack(KMeansRun& run, TilePasses& passes) {
    ValueRange range;
    std::unique_ptr<CenterPixels> centers;
    together(run.comm, [&] {
        centers = std::make_unique<CenterPixels>(run);
        passes.for_each([&](std::int64_t, const Tile& tile, const float* pixels) {
            const StageClock::Timer timer(run.clock, Stage::Statistics);
            range.add(pixels, run.source_values(tile), run.options.compute.n_threads);
            centers->add(tile, pixels);
        });
    });
    range.reduce(run.comm);
    const ScoreStatistics::Moments total = centers->reduce();
    StackMoments moments;
    together(run.comm, [&] {
        moments.n_patches = total.n / run.n_sample_bands();
        require_something_to_cluster(run, moments, range);
        moments.pixel_variance = total.std * total.std;
        moments.fixed = FixedPoint::around(static_cast<float>(total.mean), range.min(), range.max(),
                                           FixedPoint::bits_for(moments.n_patches));
        require_differences(moments, range);
        warn_of_coarse_steps(run, moments, range);
    });
    return moments;
}

PatchList draw_sample(KMeansRun& run, TilePasses& passes, StackMoments& moments, std::int64_t n_wanted,
                      StackShare& share) {
    WeightedSample sample(run, moments, n_wanted);
    const PatchCenters mean = constant_center(run, moments.fixed.offset);
    PatchSums total(1, run.n_features());
    together(run.comm, [&] {
        PatchPass pick(run, mean);
        passes.for_each([&](std::int64_t, const Tile& tile, const float* pixels) {
            const StageClock::Timer timer(run.clock, Stage::Sample);
            add_patch_moments(run.stack(tile, pixels), run.options.patch_size, moments.fixed, moments.squares,
                              total, run.options.compute.n_threads);
            if (n_wanted > 0) pick.visit(tile, pixels, sample);
            share.add(tile, pixels);
        });
    });
    moments.squares.carry();
    run.comm.sum(moments.squares.state());
    moments.squares.carry();
    run.comm.sum(total.state());
    moments.feature_variance = feature_variance(total, moments);
    return sample.patches().gathered(run.comm).sorted_by_index();
}

}  // namespace rastertide
