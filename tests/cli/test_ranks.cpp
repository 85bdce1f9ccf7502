// SPDX-License-Identifier: Apache-2.0
// What several ranks do together: they share the CPUs, and errors of one end all, with one message and one
// code.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include <gdal_priv.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sched.h>

#include "common/stack_options.hpp"
#include "support/command.hpp"
#include "support/run_folder.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::CommandResult;
using testing_support::mpirun;
using testing_support::quoted;
using testing_support::run;
using testing_support::TempDir;
using testing_support::text_of;
using testing_support::utility;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

void check_one_error(const std::string& command, const CommandResult& result, int exit_code,
                     const std::string& words) {
    EXPECT_EQ(result.exit_code, exit_code) << command << '\n' << result.output;
    std::size_t n_messages = 0;
    for (std::size_t at = result.output.find(": error: "); at != std::string::npos;
         at = result.output.find(": error: ", at + 1)) {
        ++n_messages;
    }
    EXPECT_EQ(n_messages, 1U) << command << '\n' << result.output;
    EXPECT_NE(result.output.find(words), std::string::npos) << command << '\n' << result.output;
}

/// The command ends by itself with that code, and exactly one rank says these words.
void expect_one_error(const std::string& command, int exit_code, const std::string& words) {
    check_one_error(command, run(command), exit_code, words);
}

#ifdef RASTERTIDE_TEST_MPI
/// The same of each command. They run side by side: mpirun waits for a second before it ends failed ranks.
void expect_one_error_each(const std::vector<std::string>& commands, int exit_code,
                           const std::string& words) {
    std::vector<std::future<CommandResult>> results;
    for (const std::string& command : commands)
        results.push_back(std::async(std::launch::async, run, command));
    for (std::size_t i = 0; i < commands.size(); ++i)
        check_one_error(commands[i], results[i].get(), exit_code, words);
}
#endif

std::string failing(const std::string& options) { return utility("rank_failures") + " " + options; }

TEST(OneRank, EveryErrorHasAText) {
    expect_one_error(failing("-fail comm"), kFailed, "error: MPI_Allreduce: broken\n");
    expect_one_error(failing("-fail number"), kFailed, "error: unknown error\n");
    expect_one_error(failing("-fail silent -where together"), kFailed, "error: unknown error\n");
    expect_one_error(failing("-fail number -where together"), kFailed, "error: unknown error\n");
    expect_one_error(failing("-fail silent -where first"), kFailed, "error: unknown error\n");
    expect_one_error(failing("-fail usage -where options"), kUsage, "error: bad value\n");
}

TEST(OneRank, OutOfMemoryIsToldAlikeEverywhere) {
    for (const char* where : {"alone", "together", "first"}) {
        expect_one_error(failing(std::string("-fail memory -where ") + where), kFailed,
                         "error: out of memory: lower -mem or -tile, or run fewer ranks a node\n");
    }
}

/// Binds this process to its first n_cpus CPUs while it lives.
class Binding {
  public:
    explicit Binding(int n_cpus) {
        sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t few;
        CPU_ZERO(&few);
        for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&few) < n_cpus; ++cpu) {
            if (CPU_ISSET(cpu, &before_)) CPU_SET(cpu, &few);
        }
        sched_setaffinity(0, sizeof few, &few);
    }
    Binding(const Binding&) = delete;
    Binding& operator=(const Binding&) = delete;
    ~Binding() { sched_setaffinity(0, sizeof before_, &before_); }

  private:
    cpu_set_t before_{};
};

int cpus_of(pid_t process) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    sched_getaffinity(process, sizeof cpus, &cpus);
    return CPU_COUNT(&cpus);
}

int threads_of(const std::vector<std::string>& words, int node_size) {
    return utils::thread_count(utils::Args::parse(utils::compute_option_specs(), words), node_size);
}

TEST(Threads, ABoundRankHasItsOwnCpus) {
    const int all = cpus_of(0);
    if (all < 2 || all < cpus_of(1))
        GTEST_SKIP() << "this process may use " << all << " CPUs of " << cpus_of(1);
    {
        const Binding one(1);
        EXPECT_EQ(threads_of({}, 1), 1);
        EXPECT_EQ(threads_of({"-j", "ALL_CPUS"}, 1), 1);
        EXPECT_EQ(threads_of({"-j", "3"}, 1), 3);
    }
    const Binding half(all / 2);
    EXPECT_EQ(threads_of({}, 2), all / 2) << "its CPUs are not those of the node's other rank";
    EXPECT_EQ(threads_of({}, 2 * all), 1) << "ranks bound to one socket share it";
}

TEST(Threads, UnboundRanksShareTheCpusOfTheNode) {
    const int all = cpus_of(0);
    if (all < cpus_of(1)) GTEST_SKIP() << "this process is bound to " << all << " CPUs";
    EXPECT_EQ(threads_of({}, 1), all);
    EXPECT_EQ(threads_of({}, 2), std::max(1, all / 2));
    EXPECT_EQ(threads_of({}, 1000000), 1);
    EXPECT_EQ(threads_of({"-j", "ALL_CPUS"}, 2), all);
}

#ifdef RASTERTIDE_TEST_MPI

/// A shell command on n ranks; `$OMPI_COMM_WORLD_RANK` tells them apart.
std::string on_ranks(int n_ranks, const std::string& script) {
    return mpirun(n_ranks) + "sh -c " + quoted(script);
}

TEST(Ranks, BadUsageOfOneRankEndsAll) {
    const TempDir dir;
    std::ofstream(dir.file("opt.0")) << "-q\n";
    const std::string optfile = "-optfile " + quoted(dir.file("opt.")) + "$OMPI_COMM_WORLD_RANK";
    expect_one_error_each({on_ranks(2, "exec " + failing(optfile)),
                           on_ranks(2, "exec " + utility("rastertide_info") + " " + optfile)},
                          kUsage, "opt.1");
    const std::string bad_value = mpirun(2) + failing("-fail usage -where options -rank ");
    expect_one_error_each({bad_value + "0", bad_value + "1"}, kUsage, "bad value");
}

TEST(Ranks, ProcessesThatCannotMeetAreRefused) {
    const TempDir dir;
    const std::string lof =
        utility("rastertide_lof") + " -o " + quoted(dir.file("out")) + " " + quoted(dir.path());
    expect_one_error("PMI_SIZE=2 PMI_RANK=0 " + lof, kFailed, "the launcher started 2 ranks, MPI sees 1");
    expect_one_error("SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0 " + lof, kFailed, "srun started 2 tasks");
    EXPECT_EQ(run("PMI_SIZE=2 PMI_RANK=1 " + lof).exit_code, kFailed) << "the first says why, all fail";
    EXPECT_FALSE(std::filesystem::exists(dir.file("out")));
}

TEST(Ranks, BadUsageOfAllIsToldOnce) {
    expect_one_error(mpirun(3) + utility("rastertide_info") + " -patch", kUsage, "-patch");
    expect_one_error(mpirun(3) + utility("rastertide_info") + " -patch 4 x.tif", kUsage, "patch");
}

TEST(Ranks, HelpForOneRankAloneIsBadUsage) {
    expect_one_error(on_ranks(2, "exec " + utility("rastertide_info") +
                                     " $([ $OMPI_COMM_WORLD_RANK = 0 ] && echo --help || echo x.tif)"),
                     kUsage, "--help");
    EXPECT_EQ(run(mpirun(2) + utility("rastertide_info") + " --help").exit_code, 0);
}

TEST(Ranks, AnErrorThatOnlyOneRankKnowsEndsAll) {
    for (const char* rank : {"0", "1"}) {
        std::vector<std::string> commands;
        for (const char* kind : {"comm", "silent", "number", "memory"})
            commands.push_back(mpirun(2) + failing(std::string("-fail ") + kind + " -rank " + rank));
        expect_one_error_each(commands, kFailed, "rank_failures: error: ");
    }
}

TEST(Ranks, AnErrorWithoutATextEndsAll) {
    const std::string failure = mpirun(2) + failing("-where together -rank 1 -fail ");
    expect_one_error_each({failure + "silent", failure + "number"}, kFailed, "unknown error");
}

/// Runs on small simulated stacks, whose tiles are many.
class RankRuns : public testing::Test {
  protected:
    static std::string lof(const std::string& options, const std::string& outdir, const std::string& stack) {
        return utility("rastertide_lof") + " -q -j 1 -patch 3 -neighbors 5 " + options + " -o " +
               quoted(outdir) + " " + quoted(stack);
    }

    std::string stack(const std::string& name, const std::string& options) const {
        const CommandResult result =
            run(utility("rastertide_simulate") + " -q " + options + " -o " + quoted(dir_.file(name)));
        EXPECT_EQ(result.exit_code, 0) << result.output;
        return dir_.file(name);
    }

    /// One rank and several give the same bytes.
    void expect_same_on_ranks(const std::string& stack, const std::string& options) const {
        const std::string alone = dir_.file("alone");
        ASSERT_EQ(run(lof(options, alone, stack)).exit_code, 0);
        const nlohmann::json expected = nlohmann::json::parse(text_of(alone + "/summary.json"));
        for (const int n_ranks : {2, 3}) {
            const std::string out = dir_.file("ranks" + std::to_string(n_ranks));
            const CommandResult result = run(mpirun(n_ranks) + lof(options, out, stack));
            ASSERT_EQ(result.exit_code, 0) << result.output;
            const nlohmann::json found = nlohmann::json::parse(text_of(out + "/summary.json"));
            EXPECT_EQ(found.at("ranks"), n_ranks);
            EXPECT_EQ(found.at("threshold"), expected.at("threshold"));
            for (const char* file :
                 {"per_date.csv", "per_date.svg", "anomaly_count.tif", "lof_max.tif", "lof_max_date.tif"}) {
                EXPECT_TRUE(text_of(out + "/" + file) == text_of(alone + "/" + file))
                    << n_ranks << ' ' << file;
            }
        }
    }

    TempDir dir_;
};

TEST_F(RankRuns, AQuantileIsTheSameOnAllNumbersOfRanks) {
    const std::string scenes = stack("stack", "-n_dates 12 -outsize 60 50 -nodata_fraction 0.3");
    for (const char* quantile : {"0.5", "0.975", "0.99999"})
        expect_same_on_ranks(scenes, std::string("-overwrite -tile 24 12 -threshold quantile:") + quantile);
}

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(RankRuns, RanksReadOneHdf5File) {
    expect_same_on_ranks(stack("stack.h5", "-n_dates 12 -outsize 60 50 -nodata_fraction 0.3"), "-tile 16 7");
}

/// The pixels of all bands; nodata may be NaN, so bytes.
std::string pixels_of(const std::string& name) {
    const GDALDatasetUniquePtr file(GDALDataset::Open(name.c_str()));
    if (file == nullptr) return "cannot open " + name;
    const int n_cols = file->GetRasterXSize();
    const int n_rows = file->GetRasterYSize();
    const int n_bands = file->GetRasterCount();
    std::string bytes(sizeof(float) * n_cols * n_rows * n_bands, '\0');
    EXPECT_EQ(file->RasterIO(GF_Read, 0, 0, n_cols, n_rows, bytes.data(), n_cols, n_rows, GDT_Float32,
                             n_bands, nullptr, 0, 0, 0),
              CE_None);
    return bytes;
}

TEST_F(RankRuns, RanksWriteOneHdf5File) {
    // Chunks are of 128 x 128 pixels: some whole, some cut by the raster's edges.
    const std::string scenes = stack("stack", "-n_dates 8 -outsize 300 200 -nodata_fraction 0.3");
    const std::string options = "-tile 100 64 -of HDF5";
    const std::string alone = dir_.file("alone");
    ASSERT_EQ(run(lof(options, alone, scenes)).exit_code, 0);
    GDALAllRegister();
    for (const char* product : {"lof", "anomaly"}) {
        const std::string name = "NETCDF:\"" + alone + "/" + product + ".h5\":" + product;
        EXPECT_TRUE(pixels_of(name) == pixels_of(alone + "/" + product + ".vrt")) << product;
    }
    for (const int n_ranks : {2, 3}) {
        const std::string out = dir_.file("ranks" + std::to_string(n_ranks));
        const CommandResult result = run(mpirun(n_ranks) + lof(options, out, scenes));
        ASSERT_EQ(result.exit_code, 0) << result.output;
        for (const char* file : {"/lof.h5", "/anomaly.h5"})
            EXPECT_TRUE(text_of(out + file) == text_of(alone + file)) << n_ranks << file;
        for (const auto& entry : std::filesystem::directory_iterator(out))
            EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
    }
}
#endif

TEST_F(RankRuns, AWriteErrorOfOneRankEndsAll) {
    const std::string scenes = stack("scenes", "-n_dates 20 -outsize 200 200");
    // A folder in the place of the last tile's file, made as soon as the run has made the folder around it.
    const std::string in_the_way = dir_.file("out/tiles/lof/t_0198_0000.tif");
    const std::string block = "(for i in $(seq 1000); do mkdir " + quoted(in_the_way) +
                              " 2>/dev/null && break; sleep 0.01; done) & ";
    expect_one_error(block + mpirun(2) + lof("-device reference -tile 1000 1", dir_.file("out"), scenes),
                     kFailed, "t_0198_0000.tif");
}

TEST_F(RankRuns, AKilledRankEndsTheOthers) {
    const std::string scenes = stack("scenes", "-n_dates 100 -outsize 300 300");
    const auto start = std::chrono::steady_clock::now();
    // exec keeps the process number: the killer ends the utility itself, as soon as the run has begun.
    const std::string killer = "{ me=$$; (for i in $(seq 200); do [ -d " +
                               quoted(dir_.file("out/tiles/lof_max")) +
                               " ] && break; sleep 0.05; done; sleep 0.5; kill -9 $me) & }";
    const std::string slow_run = lof("-device reference -tile 16 16 -overwrite", dir_.file("out"), scenes);
    const CommandResult result =
        run(on_ranks(2, "[ $OMPI_COMM_WORLD_RANK = 1 ] && " + killer + "; exec " + slow_run));
    EXPECT_NE(result.exit_code, 0) << result.output;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
    EXPECT_FALSE(std::filesystem::exists(dir_.file("out/summary.json"))) << "the run ended before the kill";
}

#endif

}  // namespace
}  // namespace rastertide
