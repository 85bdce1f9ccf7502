// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/reduce/communicator.hpp>

namespace rastertide {
namespace {

Communicator* world = nullptr;  // one per process, made by main: MPI starts once

TEST(Communicator, SumsAndMaximaStandOnEveryRank) {
    const std::int64_t n = world->size();
    std::vector<std::int64_t> sums = {1, world->rank()};
    std::vector<double> maxima = {-1.0 * world->rank(), 0.5 * world->rank()};

    world->sum(sums);
    world->max(maxima);

    EXPECT_EQ(sums, (std::vector<std::int64_t>{n, n * (n - 1) / 2}));
    EXPECT_EQ(maxima, (std::vector<double>{0, 0.5 * static_cast<double>(n - 1)}));
}

TEST(Communicator, GatherKeepsTheOrderOfRanksAndAllLengths) {
    const std::vector<std::string> texts =
        world->gather(std::string(static_cast<std::size_t>(world->rank()), 'x'));

    ASSERT_EQ(texts.size(), static_cast<std::size_t>(world->size()));
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], std::string(i, 'x'));
}

TEST(Communicator, EveryTicketGoesToExactlyOneRank) {
    constexpr std::int64_t kTickets = 500;
    for (int round = 0; round < 3; ++round) {
        std::vector<std::int64_t> taken(kTickets, 0);
        world->reset_tickets();
        for (std::int64_t ticket = world->next_ticket(); ticket < kTickets; ticket = world->next_ticket()) {
            ++taken[static_cast<std::size_t>(ticket)];
        }
        world->sum(taken);
        EXPECT_TRUE(std::all_of(taken.begin(), taken.end(), [](std::int64_t n) { return n == 1; }));
    }
}

TEST(Communicator, ClosedTicketsEndTheRoundOnAllRanks) {
    world->reset_tickets();
    if (world->rank() == world->size() - 1) world->close_tickets();
    world->barrier();
    EXPECT_GT(world->next_ticket(), std::int64_t{1} << 60);
    world->reset_tickets();
    world->barrier();
    std::int64_t lowest = world->next_ticket();
    std::vector<double> negative = {-static_cast<double>(lowest)};
    world->max(negative);
    EXPECT_EQ(negative[0], 0) << "a new round starts at 0";
}

TEST(Communicator, AFailureOfOneRankIsThrownOnAllWithItsMessage) {
    const int failing = world->size() - 1;
    try {
        world->agree(world->rank() == failing ? std::optional(Failure{"disk full", 3}) : std::nullopt);
        ADD_FAILURE() << "no exception on rank " << world->rank();
    } catch (const AgreedError& error) {
        EXPECT_STREQ(error.what(), "disk full");
        EXPECT_EQ(error.exit_code(), 3);
        EXPECT_EQ(error.unreadable_input(), "");
    }
    EXPECT_NO_THROW(world->agree(std::nullopt));
}

TEST(Communicator, AFailureWithoutAMessageIsAFailure) {
    EXPECT_THROW(world->agree(Failure{""}), AgreedError);
}

TEST(Communicator, AnInputThatOneRankCannotReadIsNamedOnAll) {
    const std::string input = "a 5 \n\"b.tif\"";
    const auto fails = [&](int rank) {
        if (world->rank() == rank) throw UnreadableInput(input, "'a': strip 3");
    };
    for (const int failing : {0, world->size() - 1}) {
        std::optional<Failure> failure;
        try {
            fails(failing);
        } catch (...) {
            failure = current_failure();
        }
        try {
            world->agree(failure);
            ADD_FAILURE() << "no exception on rank " << world->rank();
        } catch (const AgreedError& error) {
            EXPECT_STREQ(error.what(), "'a': strip 3");
            EXPECT_EQ(error.unreadable_input(), input);
            EXPECT_EQ(error.exit_code(), 1);
        }
    }
}

TEST(Communicator, AllTrueNeedsEveryRank) {
    EXPECT_TRUE(world->all_true(true));
    EXPECT_FALSE(world->all_true(world->rank() != 0));
}

TEST(Communicator, NodeSizeIsTheRanksOfThisMachine) { EXPECT_EQ(world->node_size(), world->size()); }

TEST(Communicator, RanksOfThisMachineAreNumbered) { EXPECT_EQ(world->node_rank(), world->rank()); }

}  // namespace
}  // namespace rastertide

/// The number of ranks a launcher was told to start must be the number that talk to each other.
int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const auto comm = rastertide::make_communicator(argc, argv);
    rastertide::world = comm.get();
    const char* launched = std::getenv("OMPI_COMM_WORLD_SIZE");
    const int expected = launched != nullptr ? std::atoi(launched) : 1;
    int status = RUN_ALL_TESTS();
    if (comm->size() != expected) status = 1;
    return comm->all_true(status == 0) ? 0 : 1;
}
