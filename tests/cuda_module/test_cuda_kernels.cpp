// SPDX-License-Identifier: Apache-2.0
// The library's side of the Cuda backend, on a module that needs no CUDA: results are those of the CPU, and a
// device that fails leaves nothing behind.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/lof.hpp>
#include <rastertide/compute/patch_memory.hpp>
#include <rastertide/compute/weighted_kmeans.hpp>
#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

constexpr std::int64_t kDates = 12, kRows = 14, kCols = 17;
constexpr int kPatch = 3;
constexpr std::int64_t kLocationRows = kRows - kPatch + 1, kLocationCols = kCols - kPatch + 1;
constexpr std::size_t kLocations = kDates * kLocationRows * kLocationCols;
const ComputeOptions kCpu{Backend::Cpu, 1};
const ComputeOptions kCuda{Backend::Cuda, 1};

/// Lets all calls of one kind fail while it lives.
class Fault {
  public:
    explicit Fault(const std::string& fault) { setenv("FAKE_CUDA_FAIL", fault.c_str(), 1); }
    Fault(const Fault&) = delete;
    Fault& operator=(const Fault&) = delete;
    ~Fault() { unsetenv("FAKE_CUDA_FAIL"); }
};

class CudaKernels : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        setenv("RASTERTIDE_CUDA_MODULE", FAKE_CUDA_MODULE, 1);
        setenv("FAKE_CUDA_DEVICES", "2", 1);
    }

    CudaKernels() {
        std::mt19937 random(5);
        std::gamma_distribution<float> speckle(4.0F, 0.25F);
        for (float& value : values_) value = speckle(random);
        values_[77] = std::numeric_limits<float>::quiet_NaN();
    }

    PixelStack pixels() const { return {values_.data(), kDates, 1, kRows, kCols, 0, 0}; }

    PatchCenters centers(std::int64_t k, unsigned seed) const {
        std::mt19937 random(seed);
        std::uniform_real_distribution<double> value(0.2, 2.0);
        PatchCenters made{kPatch, 1, k, {}};
        for (std::int64_t i = 0; i < k * kPatch * kPatch; ++i) made.values.push_back(value(random));
        return made;
    }

    std::vector<float> scores(const ComputeOptions& options) const {
        std::vector<float> found(kLocations, -1);
        lof(pixels(), {kPatch, 5}, {found.data(), kLocationRows * kLocationCols, kLocationCols}, options);
        return found;
    }

    std::vector<float> distances(const ComputeOptions& options) const {
        std::vector<float> found(kLocations, -1);
        patch_distances(pixels(), centers(4, 1), {found.data(), kLocationRows * kLocationCols, kLocationCols},
                        options);
        return found;
    }

    std::vector<float> values_ = std::vector<float>(kDates * kRows * kCols);
    const FixedPoint fixed_ = FixedPoint::for_range(0, 20);
};

/// NaN is where NaN is expected.
void expect_same(const std::vector<float>& found, const std::vector<float>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (std::isnan(expected[i])) {
            ASSERT_TRUE(std::isnan(found[i])) << i;
        } else {
            ASSERT_EQ(found[i], expected[i]) << i;
        }
    }
}

void expect_same(PatchSums& found, PatchSums& expected) {
    const auto a = found.state(), b = expected.state();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST_F(CudaKernels, TheBackendIsTheBestOne) {
    EXPECT_EQ(why_no_cuda(), "");
    EXPECT_EQ(available_backends(), (std::vector<Backend>{Backend::Cuda, Backend::Cpu, Backend::Reference}));
    EXPECT_EQ(resolve_backend(Backend::Auto), Backend::Cuda);
    ASSERT_EQ(cuda_devices().size(), 2U);
    EXPECT_EQ(cuda_devices()[1].name, "Fake GPU");
    EXPECT_EQ(cuda_devices()[1].total_bytes, std::int64_t{80} << 30);
}

TEST_F(CudaKernels, ScoresAndDistancesComeBack) {
    expect_same(scores(kCuda), scores(kCpu));
    expect_same(distances(kCuda), distances(kCpu));
}

TEST_F(CudaKernels, LabelsAndSumsComeBack) {
    for (const bool with_sums : {false, true}) {
        std::vector<std::uint16_t> labels[2] = {std::vector<std::uint16_t>(kLocations),
                                                std::vector<std::uint16_t>(kLocations)};
        PatchSums sums[2] = {PatchSums(4, kPatch * kPatch), PatchSums(4, kPatch * kPatch)};
        for (const int i : {0, 1}) {
            sums[i].count(2) = 1000;  // is added to
            assign_patches(pixels(), centers(4, 1), fixed_,
                           {labels[i].data(), kLocationRows * kLocationCols, kLocationCols},
                           with_sums ? &sums[i] : nullptr, i == 0 ? kCpu : kCuda);
        }
        EXPECT_EQ(labels[0], labels[1]);
        expect_same(sums[1], sums[0]);
    }
}

class CudaPasses : public CudaKernels, public testing::WithParamInterface<std::int64_t> {};

TEST_P(CudaPasses, MoveSumsFromLabelsToLabels) {
    const std::int64_t k = GetParam();
    PatchMemory of_cpu(PatchMemoryKind::Labels), of_cuda;
    PatchSums cpu_sums(k, kPatch * kPatch), cuda_sums(k, kPatch * kPatch);
    for (unsigned pass = 0; pass < 4; ++pass) {
        const PatchCenters now = centers(k, pass);
        EXPECT_EQ(reassign_patches(pixels(), now, fixed_, of_cuda, cuda_sums, kCuda),
                  reassign_patches(pixels(), now, fixed_, of_cpu, cpu_sums, kCpu));
        expect_same(cuda_sums, cpu_sums);
        for (std::size_t i = 0; i < kLocations; ++i) {
            const auto at = static_cast<std::int64_t>(i);
            ASSERT_EQ(of_cuda.label(at), of_cpu.label(at));
        }
    }
}

TEST_P(CudaPasses, ADeviceThatFailsLeavesMemoryAndSums) {
    const std::int64_t k = GetParam();
    PatchMemory of_cpu(PatchMemoryKind::Labels), of_cuda;
    PatchSums cpu_sums(k, kPatch * kPatch), cuda_sums(k, kPatch * kPatch);
    for (unsigned pass = 0; pass < 4; ++pass) {
        const PatchCenters now = centers(k, pass);
        {
            const Fault fault("assign:1:lost");
            EXPECT_THROW(reassign_patches(pixels(), now, fixed_, of_cuda, cuda_sums, kCuda), DeviceError);
        }
        expect_same(cuda_sums, cpu_sums);
        // Who goes on need not be the same.
        reassign_patches(pixels(), now, fixed_, of_cuda, cuda_sums, pass % 2 == 0 ? kCpu : kCuda);
        reassign_patches(pixels(), now, fixed_, of_cpu, cpu_sums, kCpu);
        expect_same(cuda_sums, cpu_sums);
    }
}

INSTANTIATE_TEST_SUITE_P(Clusters, CudaPasses, testing::Values(1, 5, 300));

TEST_F(CudaKernels, AFailureNamesTheDevice) {
    ComputeOptions third = kCuda;
    third.device = 3;  // of two
    {
        const Fault fault("lof:1:oom");
        try {
            scores(third);
            FAIL() << "no DeviceError";
        } catch (const DeviceError& error) {
            EXPECT_STREQ(error.what(), "device 1 (Fake GPU): lof: cudaMalloc of 1234 bytes: out of memory");
            EXPECT_EQ(error.device(), 1);
            EXPECT_TRUE(error.out_of_memory());
        }
    }
    const Fault fault("distances:1:lost");
    try {
        distances(kCuda);
        FAIL() << "no DeviceError";
    } catch (const DeviceError& error) {
        EXPECT_STREQ(error.what(), "device 0 (Fake GPU): distances: unspecified launch failure");
        EXPECT_FALSE(error.out_of_memory());
    }
}

TEST_F(CudaKernels, TheCpuGoesOnWithOneWarning) {
    std::vector<std::string> warnings;
    ComputeOptions options = kCuda;
    options.fallback = std::make_shared<CpuFallback>([&](LogLevel level, const std::string& text) {
        EXPECT_EQ(level, LogLevel::Warning);
        warnings.push_back(text);
    });
    expect_same(scores(options), scores(kCpu));
    EXPECT_FALSE(options.fallback->is_taken());
    PatchSums found(4, kPatch * kPatch), expected(4, kPatch * kPatch);
    {
        const Fault fault("assign:1:oom");
        assign_patches(pixels(), centers(4, 1), fixed_, {}, &found, options);
    }
    EXPECT_TRUE(options.fallback->is_taken());
    assign_patches(pixels(), centers(4, 1), fixed_, {}, &expected, kCpu);
    expect_same(found, expected);
    {
        const Fault fault("lof:1:lost");  // nobody asks the device any more
        expect_same(scores(options), scores(kCpu));
    }
    EXPECT_EQ(warnings,
              std::vector<std::string>{"device 0 (Fake GPU): assign: cudaMalloc of 1234 bytes: out of "
                                       "memory; the CPU goes on in its place"});
    EXPECT_EQ(options.fallback->reason(),
              "device 0 (Fake GPU): assign: cudaMalloc of 1234 bytes: out of memory");
}

TEST_F(CudaKernels, SampledPointsAreTheCpus) {
    const Fault no_assign("assign:1:lost");
    const WeightedPoints points(1, {0, 1, 10, 11}, {1, 1, 1, 1});
    const WeightedFit fit = weighted_lloyd(points, {0, 10}, 10, 0, kCuda);
    EXPECT_EQ(fit.centers, (std::vector<double>{0.5, 10.5}));
}

TEST_F(CudaKernels, ThreadsTakeTurns) {
    const std::vector<float> expected = scores(kCpu);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            ComputeOptions options = kCuda;
            options.device = i;
            for (int round = 0; round < 3; ++round) expect_same(scores(options), expected);
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(CudaKernels, TheMemoryPlanCountsTheHostsPart) {
    const LofParams params{7, 10};
    const std::int64_t of_cpu = lof_scratch_bytes(363, 1, params, kCpu);
    const std::int64_t of_cuda = lof_scratch_bytes(363, 1, params, kCuda);
    EXPECT_GE(of_cuda, std::int64_t{1} << 20);
    ComputeOptions with_fallback = kCuda;
    with_fallback.fallback = std::make_shared<CpuFallback>(Logger{});
    EXPECT_EQ(lof_scratch_bytes(363, 1, params, with_fallback), of_cuda + of_cpu);
    EXPECT_EQ(lof_block_rows(363, 1, params, kCuda), lof_block_rows(363, 1, params, kCpu));
}

}  // namespace
}  // namespace rastertide
