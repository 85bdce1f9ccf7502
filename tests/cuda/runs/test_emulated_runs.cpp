// SPDX-License-Identifier: Apache-2.0
// Both utilities with the module's own source, run on the CPU: anomalies and labels are those of the CPU run.
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "support/command.hpp"
#include "support/rasters.hpp"
#include "support/run_folder.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::Bands;
using testing_support::CommandResult;
using testing_support::json_of;
using testing_support::mpirun;
using testing_support::quoted;
using testing_support::read_bands;
using testing_support::run;
using testing_support::summary_of;
using testing_support::TempDir;
using testing_support::utility;

class EmulatedRuns : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder_ = new TempDir();
        const CommandResult made = run(utility("rastertide_simulate") + " -q -n_dates 16 -outsize 90 70 -o " +
                                       quoted(folder_->file("stack")));
        ASSERT_EQ(made.exit_code, 0) << made.output;
    }
    static void TearDownTestSuite() {
        delete folder_;
        folder_ = nullptr;
    }

    /// Runs a utility on the stack. @return its folder
    static std::string go(const std::string& name, const std::string& before, const std::string& options) {
        const std::string outdir = folder_->file(name);
        const CommandResult result = run(before + quoted(RASTERTIDE_BIN_DIR) + "/" + options + " -o " +
                                         quoted(outdir) + " " + quoted(folder_->file("stack")));
        EXPECT_EQ(result.exit_code, 0) << result.output;
        return outdir;
    }
    static std::string emulated(const std::string& settings = "") {
        return "RASTERTIDE_CUDA_MODULE=" + quoted(EMULATED_CUDA_MODULE) + " " + settings + " ";
    }

    static void expect_same(const std::string& a, const std::string& b, const std::string& file) {
        const Bands in_a = read_bands(a + "/" + file), in_b = read_bands(b + "/" + file);
        EXPECT_EQ(in_a.values, in_b.values) << file;
    }

    static void expect_same_anomalies(const std::string& found, const std::string& expected) {
        for (const char* file : {"anomaly.vrt", "anomaly_count.tif", "lof_max_date.tif"})
            expect_same(found, expected, file);
        const Bands scores = read_bands(found + "/lof.vrt"), of_cpu = read_bands(expected + "/lof.vrt");
        ASSERT_EQ(scores.values.size(), of_cpu.values.size());
        for (std::size_t i = 0; i < scores.values.size(); ++i) {
            ASSERT_EQ(std::isnan(scores.values[i]), std::isnan(of_cpu.values[i])) << i;
            if (!std::isnan(scores.values[i])) {
                ASSERT_NEAR(scores.values[i] / of_cpu.values[i], 1, 1e-6) << i;
            }
        }
    }

    static inline TempDir* folder_ = nullptr;
};

const std::string kLof = "rastertide_lof -q -j 1 -neighbors 5 -tile 48 40 ";
const std::string kKMeans = "rastertide_kmeans -q -j 1 -k 4 -max_iter 8 -tol 0 -tile 48 40 ";

TEST_F(EmulatedRuns, AnomaliesAreThoseOfTheCpu) {
    const std::string expected = go("lof_cpu", "", kLof + "-device cpu");
    expect_same_anomalies(go("lof_cuda", emulated(), kLof + "-device cuda"), expected);
    // Little memory on the device: parts of a tile.
    expect_same_anomalies(
        go("lof_small", emulated("RASTERTIDE_EMULATION_MEMORY=30000000"), kLof + "-device cuda"), expected);
    // A device that is lost half-way: the CPU goes on.
    const std::string lost =
        go("lof_lost", emulated("RASTERTIDE_EMULATION_FAIL_LAUNCH=20"), kLof + "-device auto");
    expect_same_anomalies(lost, expected);
    EXPECT_EQ(summary_of(lost).at("device_errors").size(), 1U);
}

TEST_F(EmulatedRuns, LabelsAreThoseOfTheCpu) {
    const std::string expected = go("kmeans_cpu", "", kKMeans + "-device cpu");
    const std::string found = go("kmeans_cuda", emulated(), kKMeans + "-device cuda");
    expect_same(found, expected, "labels.vrt");
    EXPECT_EQ(json_of(found + "/centers.json").at("centers"),
              json_of(expected + "/centers.json").at("centers"));
    const std::string lost =
        go("kmeans_lost", emulated("RASTERTIDE_EMULATION_FAIL_LAUNCH=50"), kKMeans + "-device auto");
    expect_same(lost, expected, "labels.vrt");
    EXPECT_EQ(summary_of(lost).at("device_errors").size(), 1U);
    EXPECT_EQ(json_of(lost + "/centers.json").at("centers"),
              json_of(expected + "/centers.json").at("centers"));
}

#ifdef RASTERTIDE_TEST_MPI
TEST_F(EmulatedRuns, RanksWithAndWithoutADevice) {
    const std::string expected = go("ranks_cpu", "", kKMeans + "-device cpu");
    const std::string shared = go("ranks_cuda", emulated() + mpirun(2), kKMeans + "-device cuda");
    expect_same(shared, expected, "labels.vrt");
    EXPECT_EQ(summary_of(shared).at("devices").size(), 1U);  // both have the one card
    expect_same_anomalies(go("ranks_lof", emulated() + mpirun(2), kLof + "-device cuda"),
                          go("ranks_lof_cpu", "", kLof + "-device cpu"));
}
#endif

}  // namespace
}  // namespace rastertide
