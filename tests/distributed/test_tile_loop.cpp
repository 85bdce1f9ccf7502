// SPDX-License-Identifier: Apache-2.0
// The loop over tiles on several ranks, on every path by which MPI can reach the counter in rank 0's memory.
#include <algorithm>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/tile_loop.hpp"

namespace rastertide {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

Communicator* world = nullptr;  // one per process, made by main: MPI starts once

TilePlan plan_of(std::int64_t n_tiles) {
    TilePlan plan;
    for (std::int64_t i = 0; i < n_tiles; ++i) {
        plan.tiles.emplace_back();
        plan.tiles.back().tile_row = i;
    }
    return plan;
}

/// Computes, in that MPI gets no call.
void compute_for(std::chrono::milliseconds duration) {
    for (const auto end = Clock::now() + duration; Clock::now() < end;) {
    }
}

TEST(TileLoop, EveryTileIsLoadedAndWorkedOnOnce) {
    const TilePlan plan = plan_of(40);
    std::vector<std::int64_t> loaded(40, 0);
    std::vector<std::int64_t> worked(40, 0);
    int n_finished = 0;
    std::vector<int> in_slot = {-1, -1};

    for_each_tile(
        *world, plan,
        [&](const Tile& tile, Slot slot) {
            ++loaded[static_cast<std::size_t>(tile.tile_row)];
            in_slot[static_cast<std::size_t>(slot)] = static_cast<int>(tile.tile_row);
        },
        [&](const Tile& tile, Slot slot) {
            ++worked[static_cast<std::size_t>(tile.tile_row)];
            EXPECT_EQ(in_slot[static_cast<std::size_t>(slot)], tile.tile_row);
        },
        [&] { ++n_finished; }, {});

    world->sum(loaded);
    world->sum(worked);
    EXPECT_EQ(loaded, std::vector<std::int64_t>(40, 1));
    EXPECT_EQ(worked, std::vector<std::int64_t>(40, 1));
    EXPECT_EQ(n_finished, 1);
}

TEST(TileLoop, OneThreadOfARankDoesAllWork) {
    std::set<std::thread::id> workers;

    for_each_tile(
        *world, plan_of(30), [](const Tile&, Slot) {},
        [&](const Tile&, Slot) { workers.insert(std::this_thread::get_id()); }, [] {}, {});

    EXPECT_LE(workers.size(), 1U) << "every further thread would start its own pool of OpenMP threads";
}

TEST(TileLoop, RanksTakeTilesWhileRankZeroComputes) {
    if (world->size() == 1) GTEST_SKIP() << "one rank waits for none";
    const bool first = world->rank() == 0;
    std::int64_t n_worked = 0;

    for_each_tile(
        *world, plan_of(40), [](const Tile&, Slot) {},
        [&](const Tile&, Slot) {
            if (first && n_worked == 0) compute_for(2000ms);
            if (!first) std::this_thread::sleep_for(20ms);
            ++n_worked;
        },
        [] {}, {});

    if (!first) return;
    // All others need 0.8 s together. Had they to wait for rank 0, it would take most of what is left then.
    EXPECT_GE(n_worked, 1);
    EXPECT_LE(n_worked, 2) << "rank 0 computed for 2 s: others take all but its first tile and the next";
}

TEST(TileLoop, AnErrorOfMpiItselfIsNotAgreedUpon) {
    try {
        together(*world, [] { throw CommError("MPI_Fetch_and_op: broken"); });
        ADD_FAILURE() << "no exception on rank " << world->rank();
    } catch (const AgreedError&) {
        ADD_FAILURE() << "asked MPI, which is broken, to agree on it";
    } catch (const CommError& error) {
        EXPECT_STREQ(error.what(), "MPI_Fetch_and_op: broken");
    }
}

TEST(TileLoop, AnErrorOfOneRankIsThrownOnAll) {
    const int failing = world->size() - 1;
    const auto fail = [&](const Tile&, Slot) {
        if (world->rank() == failing) throw std::runtime_error("");
        std::this_thread::sleep_for(5ms);  // so that every rank gets a tile
    };
    const auto nothing = [](const Tile&, Slot) {};

    for (const bool in_load : {true, false}) {
        try {
            if (in_load) for_each_tile(*world, plan_of(100), fail, nothing, [] {}, {});
            if (!in_load) for_each_tile(*world, plan_of(100), nothing, fail, [] {}, {});
            ADD_FAILURE() << "no exception on rank " << world->rank();
        } catch (const AgreedError& error) {
            EXPECT_STREQ(error.what(), "unknown error");
        }
    }
}

}  // namespace
}  // namespace rastertide

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const auto comm = rastertide::make_communicator(argc, argv);
    rastertide::world = comm.get();
    return comm->all_true(RUN_ALL_TESTS() == 0) ? 0 : 1;
}
