// SPDX-License-Identifier: Apache-2.0
#include "support/simulated_runs.hpp"

#include <algorithm>
#include <numeric>

#include "core/counter_random.hpp"
#include "pipeline/kmeans/tile_passes.hpp"
#include "pipeline/run_devices.hpp"
#include "pipeline/stage_clock.hpp"
#include "pipeline/tile_loop.hpp"

namespace rastertide::testing_support {
namespace {

std::int64_t number_of(const SimulatedStack& stack, const Tile& tile) {
    return tile.tile_row * stack.plan.n_tile_cols + tile.tile_col;
}

/// What every rank of a pass over the tiles shares.
class TileCosts {
  public:
    TileCosts(const SimulatedStack& stack, const WorkModel& work, int n_ranks)
        : stack_(stack), work_(work), shared_(work.shared_bytes_per_s / n_ranks) {}

    double read_s(std::int64_t n_bytes) const { return transfer_s(n_bytes, work_.read_bytes_per_s); }
    double write_s(std::int64_t n_bytes) const { return transfer_s(n_bytes, work_.write_bytes_per_s); }
    double read_pixels_s(const Tile& tile) const { return read_s(tile.source.n_pixels() * date_bytes()); }
    std::int64_t date_bytes() const { return stack_.n_dates * std::int64_t{sizeof(float)}; }

    /// `seconds`, more or less by the tile's number.
    double spread(const Tile& tile, double seconds) const {
        const std::uint64_t key = random_key(0, RandomStream::KMeansSample);
        return seconds * (1 + work_.spread * (2 * random_of(key, number_of(stack_, tile)) - 1));
    }

  private:
    double transfer_s(std::int64_t n_bytes, double bytes_per_s) const {
        const double rate = shared_ > 0 ? std::min(bytes_per_s, shared_) : bytes_per_s;
        return static_cast<double>(n_bytes) / rate;
    }

    const SimulatedStack& stack_;
    const WorkModel& work_;
    double shared_;  // each rank's part
};

/// A write beside the next tile's work, as PendingWrite is one.
class VirtualWrite {
  public:
    explicit VirtualWrite(DryRunRank& rank) : rank_(rank) {}
    void wait() { rank_.advance(std::max(0.0, ends_at_s_ - rank_.clock_s())); }
    void start(double seconds) {
        wait();
        ends_at_s_ = rank_.clock_s() + seconds;
    }

  private:
    DryRunRank& rank_;
    double ends_at_s_ = 0;
};

void add_some_scores(const SimulatedStack& stack, const Tile& tile, ScoreStatistics& statistics) {
    const std::int64_t number = number_of(stack, tile);
    std::vector<float> scores(static_cast<std::size_t>(stack.n_dates * kColumnRun));
    for (std::size_t i = 0; i < scores.size(); ++i)
        scores[i] = 1 + static_cast<float>((31 * number + 7 * static_cast<std::int64_t>(i)) % 997) / 997;
    statistics.add_tile(scores.data(), 1, kColumnRun, 1);
}

void open_run(DryRunRank& rank) {
    together(rank, [] {});
    rank.gather("\x80");  // no input is left out: an empty list as CBOR
    rank.all_true(true);
    rank.gather(
        R"(["cpu","cpu","this build has no CUDA",false])");  // as gather_devices(), which reads N texts
    together(rank, [&] { rank.all_true(true); });
}

void end_run(DryRunRank& rank) {
    StageClock().reduce(rank);
    double extremes[] = {0, 0};
    rank.max(extremes);
    gather_device_errors({}, rank);
    together(rank, [] {});
}

ScoreStatistics score_tiles(DryRunRank& rank, const SimulatedStack& stack, const WorkModel& work,
                            LofTimes& times) {
    const TileCosts costs(stack, work, rank.size());
    ScoreStatistics statistics(stack.n_dates);
    std::vector<std::int64_t> has_results(stack.plan.tiles.size(), 0);
    VirtualWrite write(rank);
    together(rank, [] {});
    for_each_tile(
        rank, stack.plan, [&](const Tile& tile, Slot slot) { rank.load(costs.read_pixels_s(tile), slot); },
        [&](const Tile& tile, Slot slot) {
            const auto n = static_cast<double>(tile.locations.n_pixels());
            rank.work(costs.spread(tile, n * work.lof_s_per_location), slot);
            add_some_scores(stack, tile, statistics);
            has_results[static_cast<std::size_t>(number_of(stack, tile))] = 1;
            ++times.n_tiles;
            write.start(costs.write_s(tile.shard.n_pixels() * costs.date_bytes()));
        },
        [&] {
            write.wait();
            times.own_tiles_s = rank.clock_s();
        },
        {});
    rank.sum(has_results);
    std::vector<std::int64_t> sums = statistics.sums();
    std::vector<double> extremes = statistics.extremes();
    rank.sum(sums);
    rank.max(extremes);
    return ScoreStatistics::from_parts(sums, extremes);
}

void mark_anomalies(DryRunRank& rank, const SimulatedStack& stack, const WorkModel& work) {
    const TileCosts costs(stack, work, rank.size());
    VirtualWrite write(rank);
    together(rank, [] {});
    for_each_tile(
        rank, stack.plan,
        [&](const Tile& tile, Slot slot) {
            rank.load(costs.read_s(tile.shard.n_pixels() * costs.date_bytes()), slot);
        },
        [&](const Tile& tile, Slot slot) {
            const auto n_scores = static_cast<double>(tile.shard.n_pixels() * stack.n_dates);
            rank.work(costs.spread(tile, n_scores * work.mask_s_per_score), slot);
            write.start(costs.write_s(tile.shard.n_pixels() * (stack.n_dates + std::int64_t{8})));
        },
        [&] { write.wait(); }, {});
    std::vector<std::int64_t> by_date(static_cast<std::size_t>(stack.n_dates), 0);
    std::int64_t n_anomalous_locations = 0;
    rank.sum(by_date);
    rank.sum({&n_anomalous_locations, 1});
}

void add_some_patches(std::int64_t number, PatchSums& sums) {
    const std::int64_t cluster = number % sums.n_clusters();
    sums.count(cluster) += 1 + number % 5;
    for (std::int64_t& sum : sums.sums(cluster)) sum += (number << 20) - 7 * number;
}

}  // namespace

std::int64_t SimulatedStack::n_pixels() const {
    return std::accumulate(plan.tiles.begin(), plan.tiles.end(), std::int64_t{0},
                           [](std::int64_t n, const Tile& tile) { return n + tile.shard.n_pixels(); });
}

LofTimes simulate_lof(DryRunRank& rank, const SimulatedStack& stack, const WorkModel& work,
                      ScoreStatistics& statistics) {
    LofTimes times;
    open_run(rank);
    statistics = score_tiles(rank, stack, work, times);
    times.scored_s = rank.clock_s();
    times.longest_wait_s = rank.counts().longest_ticket_wait_s;
    mark_anomalies(rank, stack, work);
    times.marked_s = rank.clock_s();
    constexpr int kProducts = 3;                                          // of one band, each by one rank
    for (int product = 0; product < 2; ++product) together(rank, [] {});  // VRTs of scores and masks
    together(rank, [&] {
        for (int product = rank.rank(); product < kProducts; product += rank.size())
            rank.advance(static_cast<double>(stack.n_pixels()) * work.products_s_per_pixel / kProducts);
    });
    times.written_s = rank.clock_s();
    end_run(rank);
    return times;
}

PatchSums simulate_lloyd(DryRunRank& rank, const SimulatedStack& stack, const SimulatedFit& fit,
                         const WorkModel& work) {
    const std::vector<Tile> tiles = tiles_of_rank(stack.plan, rank.rank(), rank.size());
    const TileCosts costs(stack, work, rank.size());
    PatchSums sums(fit.n_clusters, fit.n_features);
    for (std::int64_t iteration = 0; iteration < fit.n_iterations; ++iteration) {
        sums = PatchSums(fit.n_clusters, fit.n_features);
        together(rank, [&] {
            for (const Tile& tile : tiles) {
                const auto n = static_cast<double>(tile.locations.n_pixels() * stack.n_dates);
                const double label_s = costs.spread(tile, n / work.kmeans_patches_per_s);
                const bool is_read = !fit.keeps_pixels || iteration == 0;
                rank.advance(is_read ? std::max(label_s, costs.read_pixels_s(tile)) : label_s);
                add_some_patches(number_of(stack, tile), sums);
            }
        });
        rank.sum(sums.state());
        together(rank, [] {});  // the fits' state is kept
    }
    return sums;
}

}  // namespace rastertide::testing_support
