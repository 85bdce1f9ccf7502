// SPDX-License-Identifier: Apache-2.0
// Runs that are killed, stopped or met by a fault, and -resume: the outputs are those of an undisturbed run.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

#include "support/background_run.hpp"
#include "support/command.hpp"
#include "support/run_folder.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing_support::BackgroundRun;
using testing_support::CommandResult;
using testing_support::mpirun;
using testing_support::processes_with;
using testing_support::quoted;
using testing_support::run;
using testing_support::TempDir;
using testing_support::text_of;
using testing_support::utility;

/// All files of a run by name, but for what tells its costs.
std::map<std::string, std::string> files_of(const std::string& outdir) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(outdir)) {
        const std::string name = fs::relative(entry.path(), outdir).string();
        if (entry.is_regular_file() && name != "summary.json") files[name] = text_of(entry.path().string());
    }
    return files;
}

void expect_same_files(const std::string& outdir, const std::map<std::string, std::string>& expected) {
    const std::map<std::string, std::string> found = files_of(outdir);
    for (const auto& [name, bytes] : expected) {
        ASSERT_TRUE(found.contains(name)) << name;
        EXPECT_TRUE(found.at(name) == bytes) << name << " has other bytes";
    }
    for (const auto& [name, bytes] : found) EXPECT_TRUE(expected.contains(name)) << name << " is left over";
}

/// A stack, and one utility with options that give many tiles or iterations.
struct Job {
    std::string utility_name;
    std::string options;
    int n_ranks = 1;

    std::string command(const std::string& stack, const std::string& outdir, const std::string& more) const {
        return (n_ranks > 1 ? mpirun(n_ranks) : "") + utility(utility_name) + " -q -j 1 " + options + " " +
               more + " -o " + quoted(outdir) + " " + quoted(stack);
    }
};

#ifdef __SANITIZE_ADDRESS__
// The sanitizer makes a run of k-means twenty times as slow.
const std::string kStackSize = "70 60", kMaxIter = "8";
constexpr int kDates = 16, kFaultStep = 7, kFewestFaults = 2, kMostRanks = 2;
#else
const std::string kStackSize = "130 120", kMaxIter = "25";
constexpr int kDates = 30, kFaultStep = 2, kFewestFaults = 5, kMostRanks = 3;
#endif
const Job kLof{"rastertide_lof", "-tile 40 40"};
const Job kKMeans{"rastertide_kmeans", "-k 5 -init random -tol 0 -tile 48 48 -max_iter " + kMaxIter};

Job on_ranks(Job job, int n_ranks) {
    job.n_ranks = n_ranks;
    return job;
}

class Resume : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder_ = new TempDir();
        undisturbed_.clear();  // of another suite's folder
        const CommandResult made =
            run(utility("rastertide_simulate") + " -q -n_dates " + std::to_string(kDates) + " -outsize " +
                kStackSize + " -o " + quoted(stack()));
        ASSERT_EQ(made.exit_code, 0) << made.output;
    }
    static void TearDownTestSuite() {
        delete folder_;
        folder_ = nullptr;
    }

    static std::string stack() { return folder_->file("stack"); }
    static std::string file(const std::string& name) { return folder_->file(name); }
    std::string outdir() const { return file(unique_name_); }

    void SetUp() override {
        unique_name_ = "out_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
                       "_" + std::to_string(getpid());
        std::replace(unique_name_.begin(), unique_name_.end(), '/', '_');
    }

    CommandResult go(const Job& job, const std::string& more = "") const {
        return run(job.command(stack(), outdir(), more));
    }

    /// The files of an undisturbed run of the job, and how long it took.
    static const std::map<std::string, std::string>& undisturbed(const Job& job) {
        auto& files = undisturbed_[job.utility_name + job.options];
        if (files.empty()) {
            const std::string folder = file("undisturbed_" + std::to_string(undisturbed_.size()));
            const CommandResult result = run(on_ranks(job, 1).command(stack(), folder, ""));
            EXPECT_EQ(result.exit_code, 0) << result.output;
            files = files_of(folder);
        }
        return files;
    }

    /// Starts the job, lets `disturb` work on it once it has been at work for a while.
    template <class Disturb>
    int disturb_after(const Job& job, Clock::duration delay, Disturb disturb,
                      const std::string& more = "") const {
        BackgroundRun started(job.command(stack(), outdir(), more), log());
        std::this_thread::sleep_for(delay);
        disturb(started);
        return started.wait();
    }
    std::string log() const { return file(unique_name_ + ".log"); }

    /// Waits until the run has made a file. @return false if it ended before
    bool wait_for(const std::string& name) const {
        for (int i = 0; i < 4000; ++i) {
            if (fs::exists(outdir() + "/" + name)) return true;
            std::this_thread::sleep_for(2ms);
        }
        return false;
    }

    void expect_resumed(const Job& job) const {
        const CommandResult result = go(job, "-resume");
        ASSERT_EQ(result.exit_code, 0) << result.output;
        expect_same_files(outdir(), undisturbed(job));
    }

    void expect_refused(const Job& job, const std::string& more, const std::string& words) const {
        const std::map<std::string, std::string> before = files_of(outdir());
        const CommandResult result = go(job, more);
        EXPECT_EQ(result.exit_code, 1) << result.output;
        EXPECT_NE(result.output.find(words), std::string::npos) << result.output;
        expect_same_files(outdir(), before);
    }

  private:
    static inline TempDir* folder_ = nullptr;
    static inline std::map<std::string, std::map<std::string, std::string>> undisturbed_;
    std::string unique_name_;
};

/// Rounds of each kill test: RASTERTIDE_KILL_ROUNDS in place of a few.
int n_rounds() {
    const char* rounds = std::getenv("RASTERTIDE_KILL_ROUNDS");
#ifdef __SANITIZE_ADDRESS__
    constexpr int kDefault = 1;
#elif !defined(RASTERTIDE_TEST_MPI)
    constexpr int kDefault = 2;  // a build with MPI has them all
#else
    constexpr int kDefault = 8;
#endif
    return rounds != nullptr ? std::atoi(rounds) : kDefault;
}

class ResumeKilled : public Resume, public testing::WithParamInterface<int> {
  protected:
    /// SIGKILL to all ranks at a random moment of the run, in every second round once more while it is
    /// resumed.
    void kill_and_resume(const Job& job) {
        const auto begin = Clock::now();
        ASSERT_EQ(go(job, "-overwrite").exit_code, 0);
        whole_ = Clock::now() - begin;
        for (int round = 0; round < n_rounds(); ++round) {
            SCOPED_TRACE(round);
            ASSERT_TRUE(cut_short(job));
            if (round % 2 == 1) kill_once(job, "-resume");
            expect_resumed(job);
        }
    }

  private:
    /// Starts the run anew until a kill comes before its end.
    bool cut_short(const Job& job) {
        for (int i = 0; i < 20; ++i) {
            fs::remove_all(outdir());
            if (kill_once(job, "")) return true;
            whole_ = whole_ * 4 / 5;  // it was slower when it was measured
        }
        return false;
    }

    bool kill_once(const Job& job, const std::string& more) {
        const auto delay = std::chrono::duration_cast<Clock::duration>(share_(random_) * whole_);
        return disturb_after(
                   job, delay, [&](BackgroundRun& started) { started.kill_all(outdir()); }, more) != 0;
    }

    Clock::duration whole_{};  ///< how long the run takes
    std::mt19937 random_{5};
    std::uniform_real_distribution<double> share_{0, 1};
};

TEST_P(ResumeKilled, Lof) { kill_and_resume(on_ranks(kLof, GetParam())); }
TEST_P(ResumeKilled, KMeans) { kill_and_resume(on_ranks(kKMeans, GetParam())); }
#ifdef RASTERTIDE_TEST_MPI
INSTANTIATE_TEST_SUITE_P(Ranks, ResumeKilled, testing::Values(1, 2));
#else
INSTANTIATE_TEST_SUITE_P(Ranks, ResumeKilled, testing::Values(1));
#endif

class ResumeStopped : public Resume, public testing::WithParamInterface<int> {};

TEST_P(ResumeStopped, EndsInGoodOrderAndGoesOn) {
    const int signal = GetParam();
    for (const Job& job : {kLof, kKMeans}) {
        SCOPED_TRACE(job.utility_name);
        fs::remove_all(outdir());
        BackgroundRun started("exec " + job.command(stack(), outdir(), ""), log());
        ASSERT_TRUE(
            wait_for(job.utility_name == kLof.utility_name ? "tiles/lof/t_0000_0001.tif" : "fit_state.json"));
        for (const pid_t pid : processes_with(outdir())) kill(pid, signal);
        EXPECT_EQ(started.wait(), 128 + signal);
        const std::string said = text_of(log());
        EXPECT_NE(
            said.find(signal == SIGINT ? "stopped by SIGINT; to go on: " : "stopped by SIGTERM; to go on: "),
            std::string::npos)
            << said;
        EXPECT_NE(said.find(" -resume\n"), std::string::npos) << said;
        EXPECT_FALSE(fs::exists(outdir() + "/run.lock"));
        expect_resumed(job);
    }
}

INSTANTIATE_TEST_SUITE_P(Signals, ResumeStopped, testing::Values(SIGINT, SIGTERM));

TEST(SimulateStopped, LeavesNothing) {
    const TempDir dir;
    const std::string out = dir.file("stack");
    fs::create_directory(dir.file("log"));
    BackgroundRun started(
        "exec " + utility("rastertide_simulate") + " -q -j 1 -n_dates 200 -outsize 600 600 -o " + quoted(out),
        dir.file("log/text"));
    const auto n_entries = [&] {
        return std::distance(fs::directory_iterator(dir.file("")), fs::directory_iterator());
    };
    for (int i = 0; i < 4000 && n_entries() == 1; ++i) std::this_thread::sleep_for(2ms);
    for (const pid_t pid : processes_with(out)) kill(pid, SIGTERM);
    EXPECT_EQ(started.wait(), 128 + SIGTERM);
    EXPECT_NE(text_of(dir.file("log/text")).find("error: stopped by SIGTERM\n"), std::string::npos);
    for (const auto& entry : fs::directory_iterator(dir.file("")))
        EXPECT_EQ(entry.path().filename(), "log") << "is left over";
}

TEST_F(Resume, OfANewFolderIsARun) {
    expect_resumed(kLof);
    expect_resumed(kLof);  // and of one that is done gives the same again
}

TEST_F(Resume, MayHaveOtherRanksMemoryAndThreads) {
    const Job job{"rastertide_lof", ""};  // without -tile, memory and ranks choose the tiles of a new run
    ASSERT_EQ(go(job, "-tile 64 48").exit_code, 0);
    const std::map<std::string, std::string> whole = files_of(outdir());
    int n_removed = 0;
    for (const auto& shard : fs::directory_iterator(outdir() + "/tiles/lof")) {
        if (++n_removed % 2 == 0) fs::remove(shard.path());
    }
    ASSERT_GT(n_removed, 1);
    for (const Job& other : {job,
#ifdef RASTERTIDE_TEST_MPI
                             on_ranks(job, 2)
#endif
         }) {
        const CommandResult result = go(other, "-resume -mem 1GB");
        ASSERT_EQ(result.exit_code, 0) << result.output;
        expect_same_files(outdir(), whole);
    }
}

TEST_F(Resume, TakesFinishedShardsAsTheyAre) {
    ASSERT_EQ(go(kLof).exit_code, 0);
    const fs::path shard = outdir() + "/tiles/lof/t_0000_0000.tif";
    const auto written = fs::last_write_time(shard);
    expect_resumed(kLof);
    EXPECT_EQ(fs::last_write_time(shard), written);
}

TEST_F(Resume, ANamedDifferenceIsRefused) {
    ASSERT_EQ(go(kLof).exit_code, 0);
    expect_refused(kLof, "-resume -neighbors 7", "options/neighbors was 10 in this run, is 7 now");
    expect_refused(kLof, "-resume -scale db", "options/scale was \"linear\" in this run, is \"db\" now");
    expect_refused(kLof, "-resume -start_date 2019-02-01",
                   "scenes was " + std::to_string(kDates) + " entries in this run, is");
    expect_refused(kLof, "", "-overwrite replaces it, -resume goes on with it");
    const std::string record = outdir() + "/run.json";
    nlohmann::ordered_json other = nlohmann::ordered_json::parse(text_of(record));
    const std::string version = other["version"];
    other["version"] = "0.0.1";
    std::ofstream(record) << other.dump(2);
    expect_refused(kLof, "-resume", "version was \"0.0.1\" in this run, is \"" + version + "\" now");
    expect_refused(kKMeans, "-resume", "is not the record of a rastertide_kmeans run");
}

TEST_F(Resume, AChangedInputIsRefused) {
    const std::string copy = file("copy");
    fs::copy(stack(), copy, fs::copy_options::recursive);
    const auto command = [&](const std::string& more) { return kLof.command(copy, outdir(), more); };
    ASSERT_EQ(run(command("")).exit_code, 0);
    const fs::path first = fs::directory_iterator(copy)->path();
    fs::last_write_time(first, fs::last_write_time(first) + 10s);
    const CommandResult result = run(command("-resume"));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.output.find("/modified was "), std::string::npos) << result.output;
}

TEST_F(Resume, OverwriteBesideItIsBadUsage) {
    const CommandResult result = go(kLof, "-resume -overwrite");
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find("-overwrite and -resume: expected one of them"), std::string::npos);
}

TEST_F(Resume, DamagedShardsAreMadeAgain) {
    ASSERT_EQ(go(kLof).exit_code, 0);
    const std::string cut = outdir() + "/tiles/lof/t_0000_0000.tif";
    fs::resize_file(cut, fs::file_size(cut) / 2);
    const std::string flipped = outdir() + "/tiles/lof/t_0001_0001.tif";
    std::string bytes = text_of(flipped);
    // A block is filled up beyond the tile's pixels: one of several places is in them.
    for (std::size_t i = bytes.size() / 2; i < bytes.size() * 3 / 4; i += 101) {
        bytes[i] = static_cast<char>(bytes[i] ^ 4);
    }
    std::ofstream(flipped, std::ios::binary) << bytes;
    const std::string emptied = outdir() + "/tiles/lof/t_0001_0000.tif";
    fs::resize_file(emptied, 0);
    const CommandResult result = run(utility("rastertide_lof") + " -j 1 " + kLof.options + " -resume -o " +
                                     quoted(outdir()) + " " + quoted(stack()));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    for (const std::string& shard : {cut, flipped, emptied}) {
        EXPECT_NE(result.output.find("Warning: '" + shard + "': cannot read the shard"), std::string::npos)
            << result.output;
    }
    EXPECT_NE(result.output.find("it is damaged: the checksum of its pixels is "), std::string::npos)
        << result.output;
    expect_same_files(outdir(), undisturbed(kLof));
}

TEST_F(Resume, ACutRunRecordIsRefused) {
    ASSERT_EQ(go(kLof).exit_code, 0);
    fs::resize_file(outdir() + "/run.json", fs::file_size(outdir() + "/run.json") / 2);
    expect_refused(kLof, "-resume", "run.json': is not the record of a rastertide_lof run");
    expect_refused(kLof, "-overwrite", "run.json': is not the record of a rastertide_lof run");
}

TEST_F(Resume, ADamagedFitStateIsRefused) {
    ASSERT_EQ(go(kKMeans).exit_code, 0);
    for (const char* state :
         {"", "{", "[]", "[{\"k\":5}]", "[{\"k\":4,\"iterations\":3,\"converged\":false}]"}) {
        std::ofstream(outdir() + "/fit_state.json") << state;
        if (*state == '\0') continue;
        expect_refused(kKMeans, "-resume", "fit_state.json': is not the state of this run's fits");
    }
    fs::remove(outdir() + "/fit_state.json");
    expect_resumed(kKMeans);
}

TEST_F(Resume, ASecondRunInTheFolderIsRefused) {
    ASSERT_EQ(go(kLof).exit_code, 0);
    const int lock = open((outdir() + "/run.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    ASSERT_EQ(flock(lock, LOCK_EX), 0);
    expect_refused(kLof, "-resume", "another run is at work in the output folder");
    expect_refused(kLof, "-overwrite", "another run is at work in the output folder");
    close(lock);
    fs::remove(outdir() + "/run.lock");
    expect_resumed(kLof);
}

TEST_F(Resume, TheClockDoesNotMatter) {
    ASSERT_EQ(go(kLof).exit_code, 0);
    fs::remove(outdir() + "/tiles/lof/t_0000_0001.tif");
    for (const auto& entry : fs::recursive_directory_iterator(outdir())) {
        if (entry.is_regular_file()) fs::last_write_time(entry, fs::file_time_type::clock::now() + 1000h);
    }
    expect_resumed(kLof);
}

class ResumeFailedIo : public Resume {
  protected:
    /// The job with its n-th read or write, and all later ones, failing.
    CommandResult go_failing(const Job& job, const std::string& operation, int n, const std::string& path,
                             const std::string& more) const {
        const std::string setting = operation + ":" + std::to_string(n) + ":" + path;
        return run(testing_support::failing(FAILING_IO_LIBRARY, setting) +
                   job.command(stack(), outdir(), more));
    }

    /// Lets the n-th operation fail, for n = 1, 2, 4, ... (kFaultStep) until the run gets to its end: each
    /// failure is one error, and the run can be resumed. @return how many failed
    int fail_in_all_stages(const Job& job, const std::string& operation, const std::string& path) {
        int n_failed = 0;
        for (int n = 1;; n *= kFaultStep, ++n_failed) {
            SCOPED_TRACE(n);
            fs::remove_all(outdir());
            const CommandResult result = go_failing(job, operation, n, path, "");
            if (result.exit_code == 0) return n_failed;
            EXPECT_EQ(result.exit_code, 1) << result.output;
            EXPECT_NE(result.output.find(": error: "), std::string::npos) << result.output;
            EXPECT_NE(result.output.find(path), std::string::npos) << result.output;
            expect_resumed(job);
            if (HasFailure()) return n_failed;
        }
    }
};

TEST_F(ResumeFailedIo, AFullDiskInEveryStage) {
    EXPECT_GE(fail_in_all_stages(kLof, "write", outdir()), kFewestFaults);
    EXPECT_GE(fail_in_all_stages(kKMeans, "write", outdir()), kFewestFaults);
}

TEST_F(ResumeFailedIo, ASourceThatCannotBeReadAnyMore) {
    EXPECT_GE(fail_in_all_stages(kLof, "read", stack()), kFewestFaults);
    EXPECT_GE(fail_in_all_stages(kKMeans, "read", stack()), kFewestFaults);
}

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(ResumeFailedIo, AFullDiskWhileAnHdf5FileIsWritten) {
    Job job = kLof;
    job.options += " -of HDF5";
#ifdef RASTERTIDE_TEST_MPI
    constexpr int kMost = kMostRanks;
#else
    constexpr int kMost = 1;
#endif
    for (int n_ranks = 1; n_ranks <= kMost; ++n_ranks) {
        job.n_ranks = n_ranks;
        int n_failed = 0;
        for (int n = 1;; n *= 5, ++n_failed) {
            SCOPED_TRACE(std::to_string(n_ranks) + " ranks, write " + std::to_string(n));
            fs::remove_all(outdir());
            // The writes of lof.vrt come first.
            const CommandResult result = go_failing(job, "write", n, outdir() + "/lof.tmp", "");
            if (result.exit_code == 0) break;
            EXPECT_EQ(result.exit_code, 1) << result.output;
            const std::size_t at = result.output.find(": error: '" + outdir() + "/lof.");
            EXPECT_NE(at, std::string::npos) << result.output;
            EXPECT_EQ(result.output.find(": error: ", at + 1), std::string::npos) << result.output;
            EXPECT_FALSE(fs::exists(outdir() + "/lof.h5"));
            // mpirun takes longer than the run: its ranks resume the first of them.
            expect_resumed(n == 1 ? job : on_ranks(job, 1));
            if (HasFailure()) return;
        }
        EXPECT_GT(n_failed, 2);
    }
}
#endif

#ifdef RASTERTIDE_TEST_MPI
TEST_F(Resume, OneKilledRankEndsTheOthers) {
    const Job job = on_ranks(kKMeans, 2);
    const int code = disturb_after(job, 0ms, [&](BackgroundRun&) {
        ASSERT_TRUE(wait_for("fit_state.json"));
        for (const pid_t pid : processes_with(outdir())) {
            std::error_code gone;
            const fs::path program = fs::read_symlink("/proc/" + std::to_string(pid) + "/exe", gone);
            const std::string name = program.filename();
            if (name != job.utility_name) continue;
            kill(pid, SIGKILL);
            break;
        }
        const auto killed = Clock::now();
        while (!processes_with(outdir()).empty() && Clock::now() - killed < 20s)
            std::this_thread::sleep_for(10ms);
        EXPECT_LT(Clock::now() - killed, 20s);
    });
    EXPECT_NE(code, 0);
    expect_resumed(job);
}
#endif

}  // namespace
}  // namespace rastertide
