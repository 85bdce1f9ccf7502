// SPDX-License-Identifier: Apache-2.0
// -device cuda and -device auto as users meet them, on a module that needs no CUDA: results are those of the
// CPU; a device that fails ends the run, or the CPU goes on; ranks take the devices of their node.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/command.hpp"
#include "support/run_folder.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::CommandResult;
using testing_support::mpirun;
using testing_support::quoted;
using testing_support::run;
using testing_support::summary_of;
using testing_support::TempDir;
using testing_support::text_of;
using testing_support::utility;

const std::string kLof = "rastertide_lof";
const std::string kLofOptions = "-patch 5 -neighbors 6 -tile 16 16";
const std::string kKMeans = "rastertide_kmeans";
const std::string kKMeansOptions = "-tol 0 -max_iter 6 -tile 16 16";

/// What a run has written, but for what tells how.
std::map<std::string, std::string> products_of(const std::string& outdir) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(outdir)) {
        const std::string name = fs::relative(entry.path(), outdir).string();
        if (entry.is_regular_file() && name != "summary.json" && name != "run.json")
            files[name] = text_of(entry.path().string());
    }
    return files;
}

std::size_t count(const std::string& text, const std::string& words) {
    std::size_t n = 0;
    for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++n;
    return n;
}

/// Variables in front of a command: the fake module, and its settings.
std::string fake(const std::string& settings = "") {
    return "RASTERTIDE_CUDA_MODULE=" + quoted(FAKE_CUDA_MODULE) + " " + settings + " ";
}

class CudaRuns : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder_ = new TempDir();
        const CommandResult made =
            run(utility("rastertide_simulate") + " -q -n_dates 12 -outsize 52 36 -o " + quoted(stack()));
        ASSERT_EQ(made.exit_code, 0) << made.output;
    }
    static void TearDownTestSuite() {
        delete folder_;
        folder_ = nullptr;
    }

    static std::string stack() { return folder_->file("stack"); }
    std::string outdir() const {
        return folder_->file(testing::UnitTest::GetInstance()->current_test_info()->name());
    }
    std::string log() const { return outdir() + ".log"; }

    std::string command(const std::string& name, const std::string& options,
                        const std::string& folder) const {
        // The start by a sample takes most of a small fit's time: where it is tested, options say so.
        const bool may_start_at_random = name == kKMeans && options.find("-init") == std::string::npos &&
                                         options.find("-algorithm") == std::string::npos;
        return utility(name) + " -j 1 " + (name == kLof ? kLofOptions : kKMeansOptions) +
               (may_start_at_random ? " -init random " : " ") + options + " -o " + quoted(folder) + " " +
               quoted(stack());
    }
    /// Runs it into a new folder. @param before  variables, and mpirun
    CommandResult go(const std::string& before, const std::string& name, const std::string& options) const {
        fs::remove_all(outdir());
        return go_on(before, name, options);
    }
    CommandResult go_on(const std::string& before, const std::string& name,
                        const std::string& options) const {
        return run(before + command(name, options, outdir()));
    }

    /// Of a run with -device cpu.
    static const std::map<std::string, std::string>& products_of_cpu(const CudaRuns& test,
                                                                     const std::string& name,
                                                                     const std::string& options) {
        auto& products = of_cpu_[name + options];
        if (products.empty()) {
            const std::string folder = folder_->file("cpu_" + std::to_string(of_cpu_.size()));
            const CommandResult result = run(test.command(name, "-q -device cpu " + options, folder));
            EXPECT_EQ(result.exit_code, 0) << result.output;
            products = products_of(folder);
        }
        return products;
    }
    void expect_results_of_cpu(const CommandResult& result, const std::string& name,
                               const std::string& options = "") const {
        ASSERT_EQ(result.exit_code, 0) << result.output;
        EXPECT_TRUE(products_of(outdir()) == products_of_cpu(*this, name, options)) << name << " " << options;
    }
    void expect_one_error(const CommandResult& result, const std::string& words) const {
        EXPECT_EQ(result.exit_code, 1) << result.output;
        EXPECT_EQ(count(result.output, "error: "), 1U) << result.output;
        EXPECT_NE(result.output.find("error: " + words), std::string::npos) << result.output;
    }

  private:
    static inline TempDir* folder_ = nullptr;
    static inline std::map<std::string, std::map<std::string, std::string>> of_cpu_;
};

/// Settings under which there is no device, and what is said of it.
struct Absence {
    std::string settings, words;
};

std::vector<Absence> absences(const std::string& broken_file) {
    const std::string name = "'" + std::string(FAKE_CUDA_MODULE) + "'";
    return {
        {"RASTERTIDE_CUDA_MODULE=/none/x.so",
         "RASTERTIDE_CUDA_MODULE names '/none/x.so', which does not exist"},
        {"RASTERTIDE_CUDA_MODULE=" + quoted(broken_file), broken_file + ": "},
        {"RASTERTIDE_CUDA_MODULE=" + quoted(OTHER_MODULE),
         "'" + std::string(OTHER_MODULE) + "' has no symbol rastertide_cuda_module"},
        {fake("FAKE_CUDA_VERSION=9"), name + " is a CUDA module of version 9, this program needs version 1"},
        {fake("FAKE_CUDA_DEVICES=0"),
         "no CUDA device: cudaGetDeviceCount: no CUDA-capable device is detected"}};
}

TEST_F(CudaRuns, WhyThereIsNoDevice) {
    const std::string broken = outdir() + ".so";
    std::ofstream(broken) << "no library";
    for (const auto& [settings, words] : absences(broken)) {
        SCOPED_TRACE(settings);
        expect_one_error(go(settings + " ", kLof, "-device cuda"),
                         "the cuda backend cannot be used: " + words);
        EXPECT_FALSE(fs::exists(outdir()));
        const std::string info = settings + " " + utility("rastertide_info") + " ";
        const CommandResult json = run(info + "-json " + quoted(stack()));
        const auto described = nlohmann::json::parse(json.output);
        EXPECT_EQ(described.at("why_no_cuda").get<std::string>().find(words), 0U) << json.output;
        EXPECT_TRUE(described.at("devices").empty());
        EXPECT_NE(run(info + "-v " + quoted(stack())).output.find("none for cuda: " + words),
                  std::string::npos);
        EXPECT_EQ(run(info + quoted(stack())).output.find("cuda"), std::string::npos);

        const CommandResult automatic = go(settings + " ", kLof, "");
        expect_results_of_cpu(automatic, kLof);
        EXPECT_EQ(count(automatic.output, "CUDA"), 0U) << automatic.output;
        EXPECT_EQ(count(go(settings + " ", kLof, "-v").output, "-device auto takes the CPU: " + words), 1U);
        EXPECT_EQ(summary_of(outdir()).at("devices"), (nlohmann::json{{"cpu", 1}}));
    }
}

TEST_F(CudaRuns, NoModuleIsLookedForWhereNoneIsWanted) {
    for (const char* device : {"cpu", "reference"}) {
        const std::string settings = fake("FAKE_CUDA_DEVICES=x");  // asked for devices, it would throw
        EXPECT_EQ(go(settings, kKMeans, "-q -patch 3 -k 3 -device " + std::string(device)).exit_code, 0);
    }
}

TEST_F(CudaRuns, InfoShowsTheDevices) {
    const std::string info = fake("FAKE_CUDA_DEVICES=2") + utility("rastertide_info") + " ";
    const auto json = nlohmann::json::parse(run(info + "-json " + quoted(stack())).output);
    const nlohmann::json device = {
        {"name", "Fake GPU"}, {"compute_capability", "9.0"}, {"memory_bytes", std::int64_t{80} << 30}};
    EXPECT_EQ(json.at("devices"), (nlohmann::json{device, device}));
    EXPECT_TRUE(json.at("why_no_cuda").is_null());
    EXPECT_EQ(
        count(run(info + quoted(stack())).output, "Device:     Fake GPU, compute capability 9.0, 80.0 GB\n"),
        2U);
}

TEST_F(CudaRuns, ResultsAreThoseOfTheCpu) {
    expect_results_of_cpu(go(fake(), kLof, "-q -device cuda"), kLof);
    EXPECT_EQ(summary_of(outdir()).at("device"), "cuda");
    EXPECT_EQ(summary_of(outdir()).at("devices"), (nlohmann::json{{"Fake GPU", 1}}));
    EXPECT_FALSE(summary_of(outdir()).contains("device_errors"));
    for (const char* options :
         {"-k 4", "-patch 3 -k 3 -init sample", "-patch 3 -init kmeans++", "-patch 3 -k 3 -init 'kmeans||'",
          "-patch 3 -algorithm batch-parallel -parts 2", "-algorithm minibatch", "-features time",
          "-k 2:4"}) {
        expect_results_of_cpu(go(fake(), kKMeans, "-q -device cuda " + std::string(options)), kKMeans,
                              options);
    }
}

TEST_F(CudaRuns, AutoTakesTheDevice) {
    const CommandResult result = go(fake(), kLof, "-v");
    expect_results_of_cpu(result, kLof);
    EXPECT_EQ(count(result.output, "device Fake GPU\n"), 1U) << result.output;
    EXPECT_EQ(summary_of(outdir()).at("options").at("device"), "cuda");
}

TEST_F(CudaRuns, TheCpuGoesOnWithTheVeryTile) {
    const std::vector<std::array<std::string, 3>> faults = {
        {kLof, "", "lof:1:lost"},        {kLof, "", "lof:4:oom"},
        {kLof, "", "open:1:oom"},        {kKMeans, "", "assign:1:lost"},
        {kKMeans, "", "assign:14:lost"}, {kKMeans, "", "assign:25:oom"},
        {kKMeans, "", "assign:40:oom"},  {kKMeans, "-patch 3 -k 3 -init sample", "distances:2:lost"},
        {kKMeans, "", "open:1:lost"}};
    for (const auto& [name, options, fault] : faults) {
        SCOPED_TRACE(name + " " + fault);
        const CommandResult result = go(fake("FAKE_CUDA_FAIL=" + fault), name, options);
        expect_results_of_cpu(result, name, options);
        EXPECT_EQ(count(result.output, "(Fake GPU): "), 1U) << result.output;
        EXPECT_EQ(count(result.output, "Warning: device 0 (Fake GPU): " + fault.substr(0, fault.find(':'))),
                  1U)
            << result.output;
        EXPECT_EQ(count(result.output, "; the CPU goes on in its place\n"), 1U) << result.output;
        EXPECT_EQ(summary_of(outdir()).at("device_errors").size(), 1U);
    }
}

TEST_F(CudaRuns, AFaultEndsARunThatAsksForCuda) {
    expect_one_error(go(fake("FAKE_CUDA_FAIL=lof:3:oom"), kLof, "-device cuda"),
                     "device 0 (Fake GPU): lof: cudaMalloc of 1234 bytes: out of memory\n");
    for (const char* options : {"", "-algorithm batch-parallel -parts 2"}) {
        expect_one_error(
            go(fake("FAKE_CUDA_FAIL=assign:30:lost"), kKMeans, "-device cuda " + std::string(options)),
            "device 0 (Fake GPU): assign: unspecified launch failure\n");
    }
}

TEST_F(CudaRuns, AutoGoesOnWithWhatTheRunBeganWith) {
    ASSERT_EQ(go("", kLof, "-q -device cpu").exit_code, 0);
    fs::remove(outdir() + "/tiles/lof/t_0000_0001.tif");
    expect_one_error(
        go_on(fake(), kLof, "-device cuda -resume"),
        "'" + outdir() + "/run.json': -resume: options/device was \"cpu\" in this run, is \"cuda\" now");
    expect_results_of_cpu(go_on(fake("FAKE_CUDA_LOG=" + quoted(log())), kLof, "-q -resume"), kLof);
    EXPECT_FALSE(fs::exists(log()));
    EXPECT_EQ(summary_of(outdir()).at("device"), "cpu");
}

TEST_F(CudaRuns, TheCpuDoesNotGoOnWithWhatADeviceBegan) {
    ASSERT_EQ(go(fake(), kLof, "-q").exit_code, 0);
    fs::remove(outdir() + "/tiles/lof/t_0000_0001.tif");
    for (const char* options : {"-resume", "-resume -device cpu"}) {
        expect_one_error(
            go_on("RASTERTIDE_CUDA_MODULE=/none ", kLof, options),
            "'" + outdir() + "/run.json': -resume: options/device was \"cuda\" in this run, is \"cpu\" now");
    }
    expect_results_of_cpu(go_on(fake(), kLof, "-q -resume"), kLof);
    fs::remove(outdir() + "/tiles/lof/t_0000_0001.tif");
    expect_results_of_cpu(go_on(fake(), kLof, "-q -resume -device cuda"), kLof);
}

#ifdef RASTERTIDE_TEST_MPI
TEST_F(CudaRuns, RanksTakeTheDevicesOfTheirNode) {
    const std::string settings = fake("FAKE_CUDA_DEVICES=2 FAKE_CUDA_LOG=" + quoted(log()));
    expect_results_of_cpu(go(settings + mpirun(3), kKMeans, "-q"), kKMeans);
    std::vector<std::string> lines;
    std::ifstream file(log());
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    EXPECT_EQ(lines, (std::vector<std::string>{"open 0 0", "open 1 1", "open 2 0"}));
    EXPECT_EQ(summary_of(outdir()).at("devices"), (nlohmann::json{{"Fake GPU", 3}}));
}

TEST_F(CudaRuns, RanksWithoutADeviceTakeTheCpu) {
    const std::string settings = fake("FAKE_CUDA_RANK=1 FAKE_CUDA_DEVICES=0");
    for (const std::string& name : {kLof, kKMeans}) {
        const CommandResult result = go(settings + mpirun(3), name, "-v");
        expect_results_of_cpu(result, name);
        EXPECT_EQ(count(result.output, "device 2 x Fake GPU, 1 x cpu\n"), 1U) << result.output;
        EXPECT_EQ(count(result.output, "-device auto takes the CPU: no CUDA device: cudaGetDeviceCount: no"),
                  1U)
            << result.output;
        EXPECT_EQ(summary_of(outdir()).at("devices"), (nlohmann::json{{"Fake GPU", 2}, {"cpu", 1}}));
        EXPECT_EQ(summary_of(outdir()).at("device"), "cpu+cuda");
        expect_one_error(
            go_on(fake(), name, "-resume"),
            "'" + outdir() +
                "/run.json': -resume: options/device was \"cpu+cuda\" in this run, is \"cuda\" now");
        expect_one_error(go(settings + mpirun(3), name, "-device cuda"),
                         "the cuda backend cannot be used: no CUDA device: ");
    }
}

TEST_F(CudaRuns, OneRanksFaultEndsAllOrMovesThatRank) {
    const std::string settings = fake("FAKE_CUDA_RANK=1 FAKE_CUDA_FAIL=assign:5:oom");
    expect_one_error(go(settings + mpirun(2), kKMeans, "-device cuda"),
                     "device 0 (Fake GPU): assign: cudaMalloc of 1234 bytes: out of memory\n");
    const CommandResult result = go(settings + mpirun(2), kKMeans, "");
    expect_results_of_cpu(result, kKMeans);
    EXPECT_EQ(count(result.output, "(Fake GPU): "), 1U) << result.output;
    EXPECT_EQ(count(result.output, "Warning: rank 1: device 0 (Fake GPU): assign: "), 1U) << result.output;
    EXPECT_EQ(summary_of(outdir()).at("device_errors").size(), 1U);
    EXPECT_EQ(summary_of(outdir()).at("device_errors")[0].get<std::string>().rfind("rank 1: device 0", 0),
              0U);
}

TEST_F(CudaRuns, OneRanksFaultEndsAllRanksOfLof) {
    const std::string settings = fake("FAKE_CUDA_FAIL=lof:1:lost");
    expect_one_error(go(settings + mpirun(2), kLof, "-device cuda"),
                     "device 0 (Fake GPU): lof: unspecified launch failure\n");
    expect_results_of_cpu(go(settings + mpirun(2), kLof, "-q"), kLof);
}
#endif

}  // namespace
}  // namespace rastertide
