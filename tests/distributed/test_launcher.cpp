// SPDX-License-Identifier: Apache-2.0
// What the environment says of a launcher.
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>

#include "reduce/launcher.hpp"

namespace rastertide {
namespace {

/// Removes what launchers set, also the one that may have started this test.
class Launcher : public testing::Test {
  protected:
    void SetUp() override {
        std::vector<std::string> names;
        for (char** variable = environ; *variable != nullptr; ++variable) {
            const std::string text = *variable;
            for (const char* prefix : {"OMPI_", "PMI", "MPI_", "MV2_", "PALS_", "SLURM_"}) {
                if (text.rfind(prefix, 0) == 0) names.push_back(text.substr(0, text.find('=')));
            }
        }
        for (const std::string& name : names) unsetenv(name.c_str());
    }

    static void set(const std::vector<std::pair<const char*, const char*>>& variables) {
        for (const auto& [name, value] : variables) setenv(name, value, 1);
    }
};

TEST_F(Launcher, NoneIsOneRank) {
    EXPECT_EQ(launched_ranks(), 1);
    EXPECT_EQ(launched_rank(), 0);
}

TEST_F(Launcher, OpenMpiTellsSizeAndRank) {
    set({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "3"}});
    EXPECT_EQ(launched_ranks(), 4);
    EXPECT_EQ(launched_rank(), 3);
}

TEST_F(Launcher, PmiTellsSizeAndRank) {
    set({{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}});
    EXPECT_EQ(launched_ranks(), 2);
    EXPECT_EQ(launched_rank(), 1);
}

TEST_F(Launcher, PmixLeavesTheSizeToSlurm) {
    set({{"PMIX_RANK", "5"}, {"SLURM_STEP_NUM_TASKS", "8"}});
    EXPECT_EQ(launched_ranks(), 8);
    EXPECT_EQ(launched_rank(), 5);
}

TEST_F(Launcher, PmixAloneTellsNoSize) {
    set({{"PMIX_RANK", "0"}});
    EXPECT_EQ(launched_ranks(), kUnknownRanks);
}

TEST_F(Launcher, ABatchScriptIsOneRankWhateverItsAllocation) {
    set({{"SLURM_JOB_ID", "1"}, {"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}});
    EXPECT_EQ(launched_ranks(), 1);
}

TEST_F(Launcher, AStepOfOneTaskIsOneRank) {
    set({{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}});
    EXPECT_EQ(launched_ranks(), 1);
}

TEST_F(Launcher, AStepWithoutPmiCannotBeJoined) {
    set({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "2"}});
    EXPECT_EQ(launched_rank(), 2);
    int argc = 0;
    char** argv = nullptr;
    try {
        make_communicator(argc, argv);
        ADD_FAILURE() << "four ranks would each run alone";
    } catch (const LaunchError& error) {
        EXPECT_NE(std::string(error.what()).find("srun started 4 tasks"), std::string::npos) << error.what();
    }
}

TEST_F(Launcher, AStepWithAnotherPmiHasSlurmsSize) {
    set({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "2"}, {"PMI_JOBID", "7"}});
    EXPECT_EQ(launched_ranks(), 4);
}

}  // namespace
}  // namespace rastertide
