// SPDX-License-Identifier: Apache-2.0
// The pipeline's loops, calls and partial results on many fake ranks in one process.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/pipeline/run_kmeans.hpp>
#include <rastertide/pipeline/run_lof.hpp>

#include "pipeline/kmeans/tile_passes.hpp"
#include "pipeline/run_devices.hpp"
#include "pipeline/tile_loop.hpp"
#include "support/dry_run_ranks.hpp"
#include "support/rasters.hpp"
#include "support/run_folder.hpp"
#include "support/simulated_runs.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kManyRanks = 64;  // each takes two threads, which sanitizers make large and slow
#else
constexpr int kManyRanks = 1024;
#endif

SimulatedStack large_stack(std::int64_t n_tiles = 2048) {
    TileRequest request;
    request.n_cols = 64 * 64;
    request.n_rows = n_tiles / 64 * 48;
    request.patch_size = 7;
    request.budget_bytes = 1 << 30;
    request.tile_n_cols = 64;
    request.tile_n_rows = 48;
    return {12, make_tiles(request)};
}

void expect_no_errors(const std::vector<RankReport>& reports) {
    for (const RankReport& report : reports) ASSERT_EQ(report.error, "");
}

/// For loads and works of a loop that has no costs.
void nothing(const Tile&, Slot) {}

TEST(DryRunRanks, TicketsGoOutInTheOrderOfTheClocks) {
    const NetworkModel free = {0, 1e10, 0};
    std::vector<int> taken_by(9, -1);

    const auto reports = run_dry_ranks(3, free, [&](DryRunRank& rank) {
        rank.reset_tickets();
        // Rank 0 needs 4 s a tile, rank 1 2 s and rank 2 1 s.
        for (auto ticket = rank.next_ticket(); ticket < 9; ticket = rank.next_ticket()) {
            taken_by[static_cast<std::size_t>(ticket)] = rank.rank();
            rank.advance(4 >> rank.rank());
        }
    });

    expect_no_errors(reports);
    EXPECT_EQ(taken_by, (std::vector<int>{0, 1, 2, 2, 1, 2, 2, 0, 1}));
    EXPECT_EQ(reports[0].clock_s, 8);
    EXPECT_EQ(reports[1].clock_s, 6);
    EXPECT_EQ(reports[2].clock_s, 4);
}

TEST(DryRunRanks, OneTicketAtATimeIsServed) {
    const NetworkModel slow_counter = {0.5, 1e10, 1};

    const auto reports = run_dry_ranks(4, slow_counter, [](DryRunRank& rank) { rank.next_ticket(); });

    for (int rank = 0; rank < 4; ++rank) EXPECT_EQ(reports[static_cast<std::size_t>(rank)].clock_s, 2 + rank);
}

TEST(DryRunRanks, ALoopLoadsTheNextTileBesideTheWorkOnOne) {
    const NetworkModel free = {0, 1e10, 0};
    TilePlan plan;
    plan.tiles.resize(3);

    const auto reports = run_dry_ranks(1, free, [&](DryRunRank& rank) {
        for_each_tile(
            rank, plan, [&](const Tile&, Slot slot) { rank.load(5, slot); },
            [&](const Tile&, Slot slot) { rank.work(2, slot); }, [] {}, {});
    });

    expect_no_errors(reports);
    EXPECT_EQ(reports[0].clock_s, 5 + 5 + 5 + 2)
        << "the first load, the two others beside work, the last work";
}

TEST(DryRunRanks, CallsThatDoNotFitAreErrorsAndNoHang) {
    const auto different = run_dry_ranks(3, {}, [](DryRunRank& rank) {
        if (rank.rank() == 1) rank.barrier();
        if (rank.rank() != 1) rank.all_true(true);
    });
    const auto ended = run_dry_ranks(3, {}, [](DryRunRank& rank) {
        if (rank.rank() != 1) rank.barrier();
    });

    EXPECT_TRUE(std::any_of(different.begin(), different.end(), [](const RankReport& report) {
        return report.error == "ranks make different calls";
    }));
    EXPECT_EQ(ended[0].error, "a rank has ended that others wait for");
    EXPECT_EQ(ended[1].error, "");
}

TEST(ManyRanks, EveryTileIsTakenOnceAndAllRanksGetTheSameNumber) {
    const SimulatedStack stack = large_stack();
    std::vector<int> taken(stack.plan.tiles.size(), 0);
    std::vector<int> by_rank(kManyRanks, 0);

    const auto reports = run_dry_ranks(kManyRanks, {}, [&](DryRunRank& rank) {
        for_each_tile(
            rank, stack.plan, [&](const Tile&, Slot slot) { rank.load(0.1, slot); },
            [&](const Tile& tile, Slot slot) {
                rank.work(1, slot);
                ++taken[static_cast<std::size_t>(tile.tile_row * stack.plan.n_tile_cols + tile.tile_col)];
                ++by_rank[static_cast<std::size_t>(rank.rank())];
            },
            [] {}, {});
    });

    expect_no_errors(reports);
    EXPECT_EQ(taken, std::vector<int>(taken.size(), 1));
    EXPECT_EQ(by_rank, std::vector<int>(kManyRanks, static_cast<int>(taken.size()) / kManyRanks));
    for (const RankReport& report : reports) EXPECT_EQ(report.counts.tickets, taken.size() / kManyRanks + 1);
}

TEST(ManyRanks, OneThatFailsStopsAllOthersAtTheirNextTile) {
    const SimulatedStack stack = large_stack();

    const auto reports = run_dry_ranks(kManyRanks, {}, [&](DryRunRank& rank) {
        for_each_tile(
            rank, stack.plan, nothing,
            [&](const Tile&, Slot slot) {
                rank.work(1, slot);
                if (rank.rank() == kManyRanks / 2) throw Error("disk full");
            },
            [] {}, {});
    });

    for (const RankReport& report : reports) {
        EXPECT_EQ(report.error, "disk full");
        EXPECT_LE(report.counts.tickets, 4);
    }
}

TEST(ManyRanks, ReductionsAreThoseOfOneRankToTheBit) {
    const SimulatedStack stack = large_stack(1088);  // some ranks take two, some none
    struct Found {
        std::vector<std::int64_t> statistics, patch_sums;
        std::vector<double> extremes;
        bool operator==(const Found&) const = default;
    };
    const auto found_by = [&](int n_ranks) {
        std::vector<Found> found(static_cast<std::size_t>(n_ranks));
        expect_no_errors(run_dry_ranks(n_ranks, {}, [&](DryRunRank& rank) {
            ScoreStatistics statistics(0);
            simulate_lof(rank, stack, {}, statistics);
            PatchSums sums = simulate_lloyd(rank, stack, {10, 49, 1, true}, {});
            found[static_cast<std::size_t>(rank.rank())] = {
                statistics.sums(), {sums.state().begin(), sums.state().end()}, statistics.extremes()};
        }));
        return found;
    };

    const Found alone = found_by(1)[0];

    EXPECT_GT(alone.patch_sums[0], 0);
    for (const Found& found : found_by(kManyRanks)) EXPECT_TRUE(found == alone);
}

/// A raster of 5 dates.
std::string write_stack(const TempDir& dir) {
    Bands bands{5, 60, 96, {}};
    for (int i = 0; i < 5 * 60 * 96; ++i) bands.values.push_back(1 + static_cast<float>(i * 7919 % 1009));
    write_bands(dir.file("stack.tif"), bands);
    return dir.file("stack.tif");
}

template <class Options>
Options tiny_run(const TempDir& dir, const std::string& name, std::int64_t tile_n_rows) {
    Options options;
    options.series.inputs = {write_stack(dir)};
    options.outdir = dir.file(name);
    options.compute.n_threads = 1;
    options.tile_n_cols = 32;
    options.tile_n_rows = tile_n_rows;
    return options;
}

/// The real thing: every rank reads, computes and writes.
std::vector<RankReport> run_real_lof(const TempDir& dir, const std::string& name, int n_ranks,
                                     std::int64_t tile_n_rows) {
    auto options = tiny_run<RunLofOptions>(dir, name, tile_n_rows);
    options.lof = {3, 2};
    return run_dry_ranks(n_ranks, {}, [&](DryRunRank& rank) { run_lof(options, rank); });
}

std::string counts_text(const RankCounts& counts) {
    return std::to_string(counts.barriers) + " barriers, " + std::to_string(counts.sums) + " sums, " +
           std::to_string(counts.maxima) + " maxima, " + std::to_string(counts.gathers) + " gathers";
}

TEST(ManyRanks, TheLofItselfRunsOnThemWithTheSameFiles) {
    const TempDir dir;
    const auto alone = run_real_lof(dir, "alone", 1, 20);
    const auto many = run_real_lof(dir, "many", 8, 20);

    expect_no_errors(alone);
    expect_no_errors(many);
    for (const char* file : {"per_date.csv", "lof.vrt", "anomaly_count.tif", "tiles/lof/t_0001_0001.tif"}) {
        ASSERT_NE(text_of(dir.file(std::string("alone/") + file)), "") << file;
        EXPECT_TRUE(text_of(dir.file(std::string("alone/") + file)) ==
                    text_of(dir.file(std::string("many/") + file)))
            << file;
    }
}

TEST(ManyRanks, ThatFindNoTileAreWarnedOf) {
    const TempDir dir;
    auto options = tiny_run<RunLofOptions>(dir, "run", 60);  // 3 tiles
    options.lof = {3, 2};
    const auto warnings = [&](int n_ranks) {
        std::string text;
        expect_no_errors(run_dry_ranks(n_ranks, {}, [&](DryRunRank& rank) {
            run_lof(options, rank, [&](LogLevel level, const std::string& message) {
                if (level == LogLevel::Warning && message.find("ranks share") != std::string::npos)
                    text += message;
            });
        }));
        options.overwrite = true;
        return text;
    };

    EXPECT_EQ(warnings(3), "");
    EXPECT_EQ(warnings(5), "5 ranks share 3 tiles: 2 have none; -tile makes smaller ones");
}

TEST(ManyRanks, CollectivesOfTheLofDoNotDependOnTilesOrRanks) {
    const TempDir dir;
    const auto few_tiles = run_real_lof(dir, "few", 2, 60);
    const auto many_tiles = run_real_lof(dir, "many", 2, 10);
    const auto many_ranks = run_real_lof(dir, "ranks", 7, 60);

    expect_no_errors(few_tiles);
    const std::string expected = counts_text(few_tiles[0].counts);
    EXPECT_EQ(counts_text(many_tiles[0].counts), expected);
    for (const RankReport& report : many_ranks) EXPECT_EQ(counts_text(report.counts), expected);
}

TEST(ManyRanks, TheSimulatedLofMakesTheCallsOfTheRealOne) {
    const TempDir dir;
    const auto real = run_real_lof(dir, "real", 4, 20);
    TileRequest request;
    request.n_cols = request.tile_n_cols = 96;
    request.n_rows = request.tile_n_rows = 60;
    request.patch_size = 3;
    request.budget_bytes = 1 << 30;
    request.tile_n_cols = 32;
    request.tile_n_rows = 20;
    const SimulatedStack stack = {5, make_tiles(request)};

    const auto simulated = run_dry_ranks(4, {}, [&](DryRunRank& rank) {
        ScoreStatistics statistics(0);
        simulate_lof(rank, stack, {}, statistics);
    });

    expect_no_errors(real);
    expect_no_errors(simulated);
    EXPECT_EQ(counts_text(simulated[0].counts), counts_text(real[0].counts));
    // Only the text of why there is no device differs.
    EXPECT_NEAR(static_cast<double>(simulated[0].counts.bytes_given),
                static_cast<double>(real[0].counts.bytes_given), 100);
}

TEST(ManyRanks, TheSimulatedIterationsMakeTheCallsOfTheRealOnes) {
    const TempDir dir;
    auto options = tiny_run<RunKMeansOptions>(dir, "kmeans", 20);
    options.patch_size = 3;
    options.min_clusters = options.max_clusters = 6;
    options.tol = 0;
    options.init = KMeansInit::Random;
    const auto counts_of = [&](std::int64_t max_iter) {
        options.max_iter = max_iter;
        options.overwrite = true;
        const auto reports = run_dry_ranks(4, {}, [&](DryRunRank& rank) {
            const KMeansSummary summary = run_kmeans(options, rank);
            EXPECT_EQ(summary.iterations, max_iter);
        });
        EXPECT_EQ(reports[0].error, "");
        return reports[0].counts;
    };

    const RankCounts two = counts_of(2);
    const RankCounts five = counts_of(5);
    const auto simulated = run_dry_ranks(4, {}, [&](DryRunRank& rank) {
        simulate_lloyd(rank, large_stack(), {6, 9, 3, true}, {});
    });

    EXPECT_EQ(simulated[0].counts.sums, five.sums - two.sums);
    EXPECT_EQ(simulated[0].counts.bytes_given, five.bytes_given - two.bytes_given);
    EXPECT_EQ(five.maxima, two.maxima);
    EXPECT_EQ(five.gathers, two.gathers);
}

TEST(ManyRanks, OfPickedPatchesRanksSendOnlyThoseThatAreTaken) {
    constexpr int kRanks = 6, kClusters = 40, kFeatures = 25;
    const TempDir dir;
    auto options = tiny_run<RunKMeansOptions>(dir, "kmeans", 20);
    options.patch_size = 5;
    options.min_clusters = options.max_clusters = kClusters;
    options.max_iter = 1;
    options.init = KMeansInit::Random;

    const auto reports = run_dry_ranks(kRanks, {}, [&](DryRunRank& rank) { run_kmeans(options, rank); });

    expect_no_errors(reports);
    constexpr std::int64_t kPlace = sizeof(std::int64_t) + sizeof(double);
    EXPECT_LE(reports[0].counts.most_bytes_gathered,
              kClusters * std::max<std::int64_t>(kRanks * kPlace, kPlace + kFeatures * sizeof(float)));
}

TEST(ManyRanks, WhatTheyGatherFitsAnMpiCount) {
    constexpr int kRanks = 16;
    const auto reports = run_dry_ranks(kRanks, {}, [](DryRunRank& rank) {
        gather_devices({"cuda", std::string(100, 'x'), std::string(200, 'y'), true}, rank);
        const Failure failure = {std::string(4096, 'x'), 1, std::string(1024, 'y')};  // on all at once
        EXPECT_THROW(rank.agree(failure), AgreedError);
    });

    expect_no_errors(reports);
    const std::int64_t of_a_rank = reports[0].counts.most_bytes_gathered / kRanks;
    EXPECT_GT(of_a_rank, 5000);
    EXPECT_LT(10'000 * of_a_rank, std::numeric_limits<int>::max());
}

}  // namespace
}  // namespace rastertide
