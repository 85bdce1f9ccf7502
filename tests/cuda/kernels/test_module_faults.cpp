// SPDX-License-Identifier: Apache-2.0
// What the module does when the device has too little memory, or fails: by the emulator's environment
// variables.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <gtest/gtest.h>

#include "cuda/kernels/module_calls.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

/// An environment variable for the time of a test.
class Setting {
  public:
    Setting(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;
    ~Setting() { unsetenv(name_); }

  private:
    const char* name_;
};

/// A session of its own.
class ModuleFaults : public testing::Test {
  protected:
    const cuda::Module& module_ = *rastertide_cuda_module();

    cuda::Session* open() {
        cuda::Outcome outcome;
        cuda::Session* session = module_.open(0, outcome);
        EXPECT_NE(session, nullptr) << outcome.text;
        return session;
    }
    cuda::Outcome score(const Stack& stack, std::vector<float>& scores) {
        const std::int64_t n_rows = stack.n_rows - 2, n_cols = stack.n_cols - 2;
        scores.assign(static_cast<std::size_t>(stack.n_dates * n_rows * n_cols), -1);
        cuda::Session* session = open();
        cuda::Outcome outcome;
        module_.lof(session, stack.pixels(), {3, 4}, {scores.data(), n_rows * n_cols, n_cols}, outcome);
        module_.close(session);
        return outcome;
    }
};

TEST_F(ModuleFaults, LittleMemoryMakesSmallerParts) {
    const Stack stack = speckle(8, 200, 40);
    std::vector<float> expected, found;
    ASSERT_EQ(score(stack, expected).status, cuda::Status::Ok);
    const Setting little("RASTERTIDE_EMULATION_MEMORY", "30000000");
    const cuda::Outcome outcome = score(stack, found);
    ASSERT_EQ(outcome.status, cuda::Status::Ok) << outcome.text;
    EXPECT_EQ(found, expected);
}

/// The status of a pass over single pixels of 32 bands, whose labels take as much memory again.
cuda::Status dense_pass(const cuda::Module& module, cuda::Session* session, std::uint64_t tile) {
    const Stack stack = speckle(1, 192, 256, 32);
    std::vector<std::uint8_t> labels(192 * 256, 0);
    std::vector<std::int64_t> counts(2, 0), sums(2 * 32, 0);
    std::vector<double> centers(2 * 32, 1);
    std::fill_n(centers.begin(), 32, 3);
    cuda::AssignTask task;
    task.pixels = stack.pixels();
    task.patch_size = 1;
    task.n_clusters = 2;
    task.centers = centers.data();
    task.fixed = FixedPoint::for_range(0, 32);
    task.narrow_labels = labels.data();
    task.counts = counts.data();
    task.sums = sums.data();
    task.tile = tile;
    cuda::Outcome outcome;
    module.assign(session, task, outcome);
    if (tile != 0) module.forget(session, tile);
    return outcome.status;
}

TEST_F(ModuleFaults, ATileThatIsKeptIsNotTriedForEver) {
    const Setting little("RASTERTIDE_EMULATION_MEMORY", "12500000");
    cuda::Session* session = open();
    EXPECT_EQ(dense_pass(module_, session, 0), cuda::Status::OutOfMemory);
    EXPECT_EQ(dense_pass(module_, session, 1), cuda::Status::OutOfMemory);
    module_.close(session);
}

TEST_F(ModuleFaults, TooLittleMemoryIsSaid) {
    const Setting little("RASTERTIDE_EMULATION_MEMORY", "100000");
    std::vector<float> scores;
    const cuda::Outcome outcome = score(speckle(8, 20, 40), scores);
    EXPECT_EQ(outcome.status, cuda::Status::OutOfMemory);
    EXPECT_NE(std::string(outcome.text).find("cudaMalloc of "), std::string::npos) << outcome.text;
}

TEST_F(ModuleFaults, ALostDeviceIsSaid) {
    std::vector<float> scores;
    for (const char* launch : {"1", "3", "6"}) {
        const Setting lost("RASTERTIDE_EMULATION_FAIL_LAUNCH", launch);
        const cuda::Outcome outcome = score(speckle(8, 20, 40), scores);
        EXPECT_EQ(outcome.status, cuda::Status::Failed);
        EXPECT_NE(std::string(outcome.text).find("kernel "), std::string::npos) << outcome.text;
    }
    EXPECT_EQ(score(speckle(8, 20, 40), scores).status, cuda::Status::Ok);
}

TEST_F(ModuleFaults, APassThatFailsLeavesLabelsAndSums) {
    const Stack stack = speckle(3, 20, 70);
    std::vector<std::uint8_t> labels(3 * 18 * 68, 9);
    std::vector<std::int64_t> counts(2, 5), sums(2 * 9, 6);
    const std::vector<double> centers = {1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3};
    cuda::AssignTask task;
    task.pixels = stack.pixels();
    task.patch_size = 3;
    task.n_clusters = 2;
    task.centers = centers.data();
    task.fixed = FixedPoint::for_range(0, 16);
    task.narrow_labels = labels.data();
    task.counts = counts.data();
    task.sums = sums.data();
    cuda::Session* session = open();
    for (const char* launch : {"1", "2", "3", "4"}) {
        const Setting lost("RASTERTIDE_EMULATION_FAIL_LAUNCH", launch);
        cuda::Outcome outcome;
        module_.assign(session, task, outcome);
        EXPECT_EQ(outcome.status, cuda::Status::Failed) << launch;
    }
    EXPECT_TRUE(std::ranges::all_of(labels, [](std::uint8_t label) { return label == 9; }));
    EXPECT_TRUE(std::ranges::all_of(counts, [](std::int64_t count) { return count == 5; }));
    EXPECT_TRUE(std::ranges::all_of(sums, [](std::int64_t sum) { return sum == 6; }));
    module_.close(session);
}

TEST_F(ModuleFaults, DevicesAreCountedAndDescribed) {
    cuda::Outcome outcome;
    EXPECT_EQ(module_.count_devices(outcome), 1);
    cuda::DeviceFacts facts;
    module_.describe_device(0, facts, outcome);
    EXPECT_EQ(outcome.status, cuda::Status::Ok);
    EXPECT_GT(std::string(facts.name).size(), 3U);
    EXPECT_GT(facts.total_bytes, 0);
    {
        const Setting none("RASTERTIDE_EMULATION_DEVICES", "0");
        EXPECT_EQ(module_.count_devices(outcome), 0);
        EXPECT_NE(std::string(outcome.text), "");
    }
    const Setting no_driver("RASTERTIDE_EMULATION_DEVICES", "-1");
    EXPECT_EQ(module_.count_devices(outcome), 0);
    EXPECT_NE(std::string(outcome.text).find("cudaGetDeviceCount: "), std::string::npos) << outcome.text;
}

}  // namespace
}  // namespace rastertide
