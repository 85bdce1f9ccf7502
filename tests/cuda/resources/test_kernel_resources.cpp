// SPDX-License-Identifier: Apache-2.0
// Registers, shared memory and spills of every kernel, against budgets: a change that would cost blocks on a
// multiprocessor fails here, where there is no GPU that would only be slower.
#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <cuda_occupancy.h>
#include <gtest/gtest.h>

#include "cuda/resources/ptxas_log.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

struct Budget {
    const char* kernel;
    int threads;         ///< of a block
    int least_blocks;    ///< that a multiprocessor holds at a time
    int most_registers;  ///< of a thread
    int most_shared_bytes;
};

// Kernels for 3 x 3 and 5 x 5 have the budgets of those for 7 x 7. <0>: any size of a patch.
constexpr Budget kBudgets[] = {
    {"least_of_groups<0>", 160, 2, 168, 35'000},
    {"least_of_groups<1>", 128, 4, 128, 15'000},
    {"least_of_groups<3>", 128, 4, 128, 15'000},
    {"least_of_groups<5>", 128, 4, 128, 15'000},
    {"least_of_groups<7>", 128, 4, 128, 15'000},
    {"collect_neighbors<0>", 160, 2, 168, 35'000},
    {"collect_neighbors<1>", 128, 4, 128, 15'000},
    {"collect_neighbors<3>", 128, 4, 128, 15'000},
    {"collect_neighbors<5>", 128, 4, 128, 15'000},
    {"collect_neighbors<7>", 128, 4, 128, 15'000},
    {"bound_neighbors<16>", 128, 8, 64, 0},
    {"bound_neighbors<64>", 128, 4, 128, 0},
    {"list_neighbors", 128, 8, 64, 0},
    {"local_reachability_densities", 128, 16, 32, 0},
    {"outlier_factors", 128, 10, 48, 0},
    {"label_kernel<0>", 192, 2, 128, 41'000},
    {"label_kernel<1>", 192, 2, 128, 11'000},
    {"label_kernel<3>", 192, 2, 128, 11'000},
    {"label_kernel<5>", 192, 2, 128, 11'000},
    {"label_kernel<7>", 192, 2, 128, 11'000},
    {"settle_kernel", 128, 9, 56, 0},
    {"subtract_level", 128, 16, 32, 0},
    {"nearest_of_products", 128, 16, 32, 0},
    {"distance_kernel<0>", 192, 2, 128, 41'000},
    {"distance_kernel<1>", 192, 2, 128, 11'000},
    {"distance_kernel<3>", 192, 2, 128, 11'000},
    {"distance_kernel<5>", 192, 2, 128, 11'000},
    {"distance_kernel<7>", 192, 2, 128, 11'000},
    {"move_kernel", 128, 9, 56, 0},
    {"add_copies", 128, 16, 32, 0},
};

/// What the library is compiled for; 75 is left as PTX, for which ptxas does not run.
constexpr std::array kArchitectures = {80, 90, 100};

constexpr std::size_t kMostStaticShared = 48 << 10;  ///< of a block

/// A multiprocessor of the A100, the H100 or the B200 (CUDA C++ Programming Guide, "Technical
/// Specifications").
cudaOccDeviceProp multiprocessor_of(int architecture) {
    cudaOccDeviceProp device;
    device.computeMajor = architecture / 10;
    device.computeMinor = architecture % 10;
    device.maxThreadsPerBlock = 1024;
    device.maxThreadsPerMultiprocessor = 2048;
    device.regsPerBlock = device.regsPerMultiprocessor = 65536;
    device.warpSize = 32;
    device.sharedMemPerBlock = kMostStaticShared;
    device.sharedMemPerMultiprocessor = architecture == 80 ? 164 << 10 : 228 << 10;
    device.sharedMemPerBlockOptin = device.sharedMemPerMultiprocessor - (1 << 10);
    device.reservedSharedMemPerBlock = 1 << 10;
    device.numSms = 1;
    return device;
}

/// Blocks that a multiprocessor holds at a time, by NVIDIA's calculator; 0 if not even one fits.
int blocks_of(int architecture, int threads, int registers, int shared_bytes) {
    const cudaOccDeviceProp device = multiprocessor_of(architecture);
    cudaOccFuncAttributes kernel;
    kernel.maxThreadsPerBlock = INT_MAX;
    kernel.numRegs = registers;
    kernel.sharedSizeBytes = static_cast<std::size_t>(shared_bytes);
    kernel.numBlockBarriers = 1;
    const cudaOccDeviceState state;
    cudaOccResult result;
    const cudaOccError error =
        cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &kernel, &state, threads, 0);
    return error == CUDA_OCC_SUCCESS ? result.activeBlocksPerMultiprocessor : 0;
}

std::string label(const KernelResources& kernel) {
    return kernel.name + " for sm_" + std::to_string(kernel.architecture);
}

/// What is wrong with the kernels, a line each.
std::vector<std::string> faults_of(const std::vector<KernelResources>& kernels) {
    std::vector<std::string> faults;
    std::set<std::pair<std::string, int>> known;
    for (const KernelResources& kernel : kernels) {
        const auto fault = [&](const std::string& text) { faults.push_back(label(kernel) + ": " + text); };
        known.emplace(kernel.name, kernel.architecture);
        const Budget* budget = std::find_if(std::begin(kBudgets), std::end(kBudgets),
                                            [&](const Budget& b) { return b.kernel == kernel.name; });
        if (budget == std::end(kBudgets)) {
            fault("no budget");
            continue;
        }
        const auto check_most = [&](const char* what, int found, int most) {
            if (found > most) fault(std::to_string(found) + " " + what + ", allowed " + std::to_string(most));
        };
        check_most("registers", kernel.registers, budget->most_registers);
        check_most("bytes of shared memory", kernel.shared_bytes, budget->most_shared_bytes);
        check_most("bytes of local memory", kernel.stack_bytes, 0);
        check_most("bytes spilled", kernel.spill_bytes, 0);
        const int blocks =
            blocks_of(kernel.architecture, budget->threads, kernel.registers, kernel.shared_bytes);
        if (blocks < budget->least_blocks)
            fault(std::to_string(blocks) + " blocks a multiprocessor, wanted " +
                  std::to_string(budget->least_blocks));
    }
    for (const Budget& budget : kBudgets) {
        for (const int architecture : kArchitectures) {
            if (known.count({budget.kernel, architecture}) == 0)
                faults.push_back(std::string(budget.kernel) + ": a budget, but no kernel for sm_" +
                                 std::to_string(architecture));
        }
    }
    return faults;
}

std::vector<KernelResources> built_kernels() {
    std::vector<KernelResources> kernels;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(RASTERTIDE_CUDA_OBJECTS)) {
        if (entry.path().extension() != ".log") continue;
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        for (KernelResources& kernel : read_ptxas_log(text)) kernels.push_back(std::move(kernel));
    }
    return kernels;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    return text;
}

/// What a log of the kernels says, with one line about add_copies for sm_90 replaced.
std::vector<std::string> faults_with(const std::string& frame, const std::string& used) {
    std::vector<KernelResources> kernels = built_kernels();
    const std::string log =
        "ptxas info    : Compiling entry function '_ZN10rastertide4cuda12_GLOBAL__N_110add_copiesElPx' for "
        "'sm_90'\n"
        "ptxas info    : Function properties for _ZN10rastertide4cuda12_GLOBAL__N_110add_copiesElPx\n    " +
        frame + "\nptxas info    : " + used + "\n";
    for (const KernelResources& planted : read_ptxas_log(log)) {
        for (KernelResources& kernel : kernels) {
            if (label(kernel) == label(planted)) kernel = planted;
        }
    }
    return faults_of(kernels);
}

constexpr const char* kNoFrame = "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads";

TEST(KernelResources, EveryKernelKeepsWithinItsBudget) {
    const std::vector<KernelResources> kernels = built_kernels();

    EXPECT_EQ(kernels.size(), std::size(kBudgets) * kArchitectures.size());
    EXPECT_EQ(joined(faults_of(kernels)), "");
}

TEST(KernelResources, ABudgetAllowsTheBlocksThatItWants) {
    for (const Budget& budget : kBudgets) {
        for (const int architecture : kArchitectures) {
            EXPECT_GE(
                blocks_of(architecture, budget.threads, budget.most_registers, budget.most_shared_bytes),
                budget.least_blocks)
                << budget.kernel << ", sm_" << architecture;
        }
        EXPECT_LE(static_cast<std::size_t>(budget.most_shared_bytes), kMostStaticShared) << budget.kernel;
    }
}

TEST(KernelResources, ASpillIsAFault) {
    const auto faults = faults_with("8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads",
                                    "Used 32 registers, used 0 barriers");

    EXPECT_EQ(joined(faults),
              "add_copies for sm_90: 8 bytes of local memory, allowed 0\n"
              "add_copies for sm_90: 16 bytes spilled, allowed 0\n");
}

TEST(KernelResources, TooManyRegistersAndTooMuchSharedMemoryAreFaults) {
    const auto faults = faults_with(kNoFrame, "Used 33 registers, used 1 barriers, 20000 bytes smem");

    EXPECT_EQ(joined(faults),
              "add_copies for sm_90: 33 registers, allowed 32\n"
              "add_copies for sm_90: 20000 bytes of shared memory, allowed 0\n"
              "add_copies for sm_90: 11 blocks a multiprocessor, wanted 16\n");
}

TEST(KernelResources, AKernelWithoutABudgetIsAFault) {
    std::vector<KernelResources> kernels = built_kernels();
    kernels.push_back({"new_kernel<7>", 90, 16, 0, 0, 0});

    EXPECT_EQ(joined(faults_of(kernels)), "new_kernel<7> for sm_90: no budget\n");
}

TEST(KernelResources, ABudgetWithoutAKernelIsAFault) {
    std::vector<KernelResources> kernels = built_kernels();
    kernels.erase(
        std::remove_if(kernels.begin(), kernels.end(),
                       [](const KernelResources& k) { return label(k) == "move_kernel for sm_80"; }),
        kernels.end());

    EXPECT_EQ(joined(faults_of(kernels)), "move_kernel: a budget, but no kernel for sm_80\n");
}

TEST(KernelResources, AFunctionThatIsNotInlinedCountsAsPartOfItsKernel) {
    const auto kernels = read_ptxas_log(
        "ptxas info    : Compiling entry function '_Z6kernelv' for 'sm_80'\n"
        "ptxas info    : Function properties for _Z6kernelv\n"
        "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
        "ptxas info    : Used 40 registers, used 1 barriers, 64 bytes smem, 408 bytes cmem[0]\n"
        "ptxas info    : Function properties for _Z3cutPyii\n"
        "    16 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n");

    ASSERT_EQ(kernels.size(), 1U);
    EXPECT_EQ(kernels[0].name, "kernel");
    EXPECT_EQ(kernels[0].architecture, 80);
    EXPECT_EQ(kernels[0].registers, 40);
    EXPECT_EQ(kernels[0].shared_bytes, 64);
    EXPECT_EQ(kernels[0].stack_bytes, 16);
}

TEST(KernelResources, ALogWithoutAKernelsFiguresIsAnError) {
    EXPECT_THROW(read_ptxas_log("ptxas info    : Compiling entry function '_Z6kernelv' for 'sm_80'\n"
                                "ptxas info    : Used 40 registers\n"),
                 std::runtime_error);
    EXPECT_THROW(read_ptxas_log("ptxas info    : Compiling entry function '_Z6kernelv' for 'sm_80'\n" +
                                ("    " + std::string(kNoFrame) + "\n")),
                 std::runtime_error);
}

}  // namespace
}  // namespace rastertide
