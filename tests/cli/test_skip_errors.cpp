// SPDX-License-Identifier: Apache-2.0
// -skip_errors: what comes out is what a stack without the unreadable inputs gives.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/command.hpp"
#include "support/rasters.hpp"
#include "support/run_folder.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing_support::Bands;
using testing_support::CommandResult;
using testing_support::json_of;
using testing_support::quoted;
using testing_support::run;
using testing_support::summary_of;
using testing_support::TempDir;
using testing_support::text_of;
using testing_support::utility;
using testing_support::write_bands;

constexpr int kDates = 12;
constexpr int kRows = 120;
constexpr int kCols = 64;

std::string scene_name(int date) {
    char name[64];
    std::snprintf(name, sizeof name, "s_2020-01-%02d.tif", 1 + date);
    return name;
}

std::string day(int date) { return scene_name(date).substr(2, 10); }

class SkipErrors : public testing::Test {
  protected:
    /// Pixels that differ by date and place.
    static Bands scene(int date, int n_bands = 1) {
        Bands bands{n_bands, kRows, kCols, {}};
        for (int i = 0; i < n_bands * kRows * kCols; ++i)
            bands.values.push_back(static_cast<float>((i * 37 + date * date * 11 + i / 7) % 101));
        return bands;
    }

    std::string file(const std::string& name) const { return dir_.file(name); }

    std::string stack() const {
        for (const char* name : {"stack", "whole"}) {
            fs::create_directories(file(name));
            for (int date = 0; date < kDates; ++date)
                write_bands(file(name) + "/" + scene_name(date), scene(date));
        }
        return file("stack");
    }
    /// The same stack without some dates, all readable.
    std::string stack_without(const std::vector<int>& dates) const {
        for (const int date : dates) fs::remove(file("whole") + "/" + scene_name(date));
        return file("whole");
    }
    /// The file keeps its header and the first part of its pixels.
    void cut(int date, double share) const {
        const std::string path = file("stack") + "/" + scene_name(date);
        fs::resize_file(path, static_cast<std::uintmax_t>(static_cast<double>(fs::file_size(path)) * share));
    }

    std::string command(const std::string& name, const std::string& outdir,
                        const std::string& arguments) const {
        const std::string own = name == "rastertide_lof" ? "-neighbors 5 " : "-k 4 -tol 0 ";
        return utility(name) + " -q -j 1 -patch 3 -tile 32 32 " + own + "-o " + quoted(file(outdir)) + " " +
               arguments;
    }

    static void expect_done(const std::string& command) {
        const CommandResult result = run(command);
        EXPECT_EQ(result.exit_code, 0) << result.output;
    }

    /// Reads of one scene: the first of these numbers are when it is opened, the last are none.
    static constexpr int kFirstFault = 12, kEndFault = 40;
#ifdef __SANITIZE_ADDRESS__
    static constexpr int kFaultStep = 4;  // it makes a start ten times as slow
#else
    static constexpr int kFaultStep = 1;
#endif
    static std::string fault(const std::string& count, int n) {
        return "read:" + std::to_string(n) + count + ":" + scene_name(6);
    }
    static std::string failing(const std::string& fault) {
        return testing_support::failing(FAILING_IO_LIBRARY, fault);
    }

    /// Pixels, tables and centres: all but what names the inputs and the costs.
    std::map<std::string, std::string> products(const std::string& outdir) const {
        std::map<std::string, std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(file(outdir))) {
            const std::string name = fs::relative(entry.path(), file(outdir)).string();
            if (entry.is_regular_file() && name != "summary.json" && name != "run.json")
                files[name] = text_of(entry.path().string());
        }
        // They name the scenes by path.
        const std::string from = file("whole"), to = file("stack");
        for (auto& [name, text] : files) {
            for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;)
                text.replace(at, from.size(), to);
        }
        return files;
    }
    void expect_same_products(const std::string& found, const std::string& expected) const {
        const auto a = products(found), b = products(expected);
        ASSERT_GT(b.size(), 4U);
        for (const auto& [name, bytes] : b) {
            ASSERT_TRUE(a.contains(name)) << name;
            EXPECT_TRUE(a.at(name) == bytes) << name << " differs";
        }
        EXPECT_EQ(a.size(), b.size());
    }
    /// The last parts of the names, in order.
    std::vector<std::string> left_out(const std::string& outdir) const {
        std::vector<std::string> names;
        const json summary = summary_of(file(outdir));
        for (const json& input : summary.at("left_out")) {
            EXPECT_FALSE(input.at("error").get<std::string>().empty());
            names.push_back(fs::path(input.at("name").get<std::string>()).filename());
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    TempDir dir_;
};

TEST_F(SkipErrors, InputsThatCannotBeOpened) {
    const std::string folder = stack();
    std::ofstream(folder + "/" + scene_name(3)) << "no raster";
    std::ofstream(folder + "/" + scene_name(8)) << "";
    const std::string inputs = quoted(folder) + " " + quoted(file("missing_2020-02-01.tif"));
    EXPECT_EQ(run(command("rastertide_lof", "strict", inputs)).exit_code, 1);
    const std::string whole = stack_without({3, 8});
    for (const std::string name : {"rastertide_lof", "rastertide_kmeans"}) {
        expect_done(command(name, name, "-skip_errors " + inputs));
        expect_done(command(name, name + "_whole", quoted(whole)));
        expect_same_products(name, name + "_whole");
        EXPECT_EQ(left_out(name),
                  (std::vector<std::string>{"missing_2020-02-01.tif", scene_name(3), scene_name(8)}));
        EXPECT_EQ(summary_of(file(name)).at("dates"), kDates - 2);
    }
}

TEST_F(SkipErrors, InputsThatFailOnTheWay) {
    const std::string folder = stack();
    cut(4, 0.9);
    cut(9, 0.6);
    const std::string whole = stack_without({4, 9});
    for (const std::string name : {"rastertide_lof", "rastertide_kmeans"}) {
        EXPECT_EQ(run(command(name, name + "_strict", quoted(folder))).exit_code, 1);
        expect_done(command(name, name, "-skip_errors " + quoted(folder)));
        expect_done(command(name, name + "_whole", quoted(whole)));
        expect_same_products(name, name + "_whole");
        EXPECT_EQ(left_out(name), (std::vector<std::string>{scene_name(4), scene_name(9)}));
    }
}

TEST_F(SkipErrors, OfBatchParallelParts) {
    const std::string folder = stack();
    cut(4, 0.9);
    const std::string whole = stack_without({4});
    const std::string options = "-algorithm batch-parallel ";
    expect_done(command("rastertide_kmeans", "found", options + "-skip_errors " + quoted(folder)));
    expect_done(command("rastertide_kmeans", "whole_out", options + quoted(whole)));
    expect_same_products("found", "whole_out");
}

/// One restart, whatever the number of broken files: hours may lie between them.
TEST_F(SkipErrors, TheRunBeginsAgainOnce) {
    const std::string folder = stack();
    for (const int date : {2, 5, 6}) cut(date, 0.5 + 0.1 * date / 2);
    const std::string verbose = utility("rastertide_lof") +
                                " -v -j 1 -patch 3 -neighbors 5 -tile 32 32 -skip_errors -o " +
                                quoted(file("out")) + " " + quoted(folder);
    const CommandResult result = run(verbose);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    std::size_t n_plans = 0;
    for (std::size_t at = 0; (at = result.output.find(" dates, ", at)) != std::string::npos; ++at) ++n_plans;
    EXPECT_EQ(n_plans, 2U) << result.output;
    for (const int date : {2, 5, 6})
        EXPECT_NE(result.output.find("without '" + folder + "/" + scene_name(date)), std::string::npos);
    EXPECT_NE(result.output.find("3 inputs could not be read and are left out"), std::string::npos)
        << result.output;
}

TEST_F(SkipErrors, BandsOfOneRaster) {
    stack();
    Bands all{kDates, kRows, kCols, {}};
    std::ofstream dates(file("dates.txt"));
    for (int date = 0; date < kDates; ++date) {
        const Bands one = scene(date);
        all.values.insert(all.values.end(), one.values.begin(), one.values.end());
        dates << day(date) << '\n';
    }
    dates.close();
    const std::string raster = file("all.tif");
    write_bands(raster, all, GDT_Float32, {"INTERLEAVE=BAND"});
    const std::string options = "-dates " + quoted(file("dates.txt")) + " ";
    std::string bands;  // all but the last
    for (int band = 1; band < kDates; ++band) bands += "-b " + std::to_string(band) + " ";
    std::ofstream few(file("few.txt"));
    for (int date = 0; date + 1 < kDates; ++date) few << day(date) << '\n';
    few.close();
    expect_done(command("rastertide_lof", "whole_out",
                        bands + "-dates " + quoted(file("few.txt")) + " " + quoted(raster)));
    fs::resize_file(raster, fs::file_size(raster) - 1000);  // of the last band
    expect_done(command("rastertide_lof", "out", "-skip_errors " + options + quoted(raster)));
    expect_same_products("out", "whole_out");
    EXPECT_EQ(left_out("out"), std::vector<std::string>{"all.tif, band 12"});
}

/// The lists have an entry for inputs that are left out, too.
TEST_F(SkipErrors, DatesAndMasksStayWithTheirScenes) {
    const std::string folder = stack();
    std::ofstream dates(file("dates.txt"));
    fs::create_directories(file("masks"));
    for (int date = 0; date < kDates; ++date) {
        dates << day(date) << '\n';
        Bands mask{1, kRows, kCols, std::vector<float>(kRows * kCols, 1)};
        mask.values[static_cast<std::size_t>(date * 50)] = 0;
        write_bands(file("masks") + "/" + scene_name(date), mask);
    }
    dates.close();
    const std::string options =
        "-skip_errors -dates " + quoted(file("dates.txt")) + " -mask " + quoted(file("masks")) + " ";
    std::ofstream(folder + "/" + scene_name(3)) << "no raster";
    cut(7, 0.7);
    expect_done(command("rastertide_lof", "out", options + quoted(folder)));
    const std::string whole = stack_without({3, 7});
    for (const int date : {3, 7}) fs::remove(file("masks") + "/" + scene_name(date));
    expect_done(
        command("rastertide_lof", "whole_out", "-mask " + quoted(file("masks")) + " " + quoted(whole)));
    expect_same_products("out", "whole_out");
}

TEST_F(SkipErrors, AResumedRunLeavesOutTheSame) {
    const std::string folder = stack();
    cut(4, 0.9);
    expect_done(command("rastertide_lof", "out", "-skip_errors " + quoted(folder)));
    const auto before = products("out");
    // As a killed run: a shard is missing. The input is whole again, which changes nothing.
    fs::remove(file("out/tiles/lof/t_0000_0001.tif"));
    write_bands(folder + "/" + scene_name(4), scene(4));
    const CommandResult refused = run(command("rastertide_lof", "out", "-resume " + quoted(folder)));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.output.find("left_out"), std::string::npos) << refused.output;
    expect_done(command("rastertide_lof", "out", "-resume -skip_errors " + quoted(folder)));
    EXPECT_TRUE(products("out") == before);
    EXPECT_EQ(left_out("out"), std::vector<std::string>{scene_name(4)});
}

/// Names may be of any bytes, run.json is UTF-8.
TEST_F(SkipErrors, AResumedRunKnowsNamesThatAreNoUtf8) {
    const std::string folder = stack();
    const std::string odd = folder + "/b\xff_2020-01-05.tif";
    fs::rename(folder + "/" + scene_name(4), odd);
    fs::resize_file(odd, fs::file_size(odd) * 9 / 10);
    expect_done(command("rastertide_lof", "out", "-skip_errors " + quoted(folder)));
    const auto before = products("out");
    fs::remove(file("out/tiles/lof/t_0000_0001.tif"));
    expect_done(command("rastertide_lof", "out", "-resume -skip_errors " + quoted(folder)));
    EXPECT_TRUE(products("out") == before);
}

/// What is finished is never lost by -resume.
TEST_F(SkipErrors, AFurtherFaultOfAResumedRunIsAnError) {
    const std::string folder = stack();
    expect_done(command("rastertide_lof", "out", "-skip_errors " + quoted(folder)));
    const auto before = products("out");
    fs::remove(file("out/tiles/lof/t_0000_0001.tif"));
    const std::string resumed = command("rastertide_lof", "out", "-resume -skip_errors " + quoted(folder));
    int n_refused = 0;
    for (int n = kFirstFault; n < kEndFault; n += kFaultStep) {
        const CommandResult result = run(failing(fault("", n)) + resumed);
        if (result.exit_code == 0) break;  // it has fewer reads
        if (result.output.find("-overwrite in place of -resume") == std::string::npos) continue;
        ++n_refused;
        EXPECT_EQ(result.exit_code, 1);
        EXPECT_NE(result.output.find(scene_name(6)), std::string::npos) << result.output;
    }
    EXPECT_GT(n_refused, 0);
    expect_done(resumed);
    EXPECT_TRUE(products("out") == before);
}

TEST_F(SkipErrors, AFaultThatPassesLeavesNothingOut) {
    const std::string folder = stack();
    expect_done(command("rastertide_lof", "whole_out", quoted(folder)));
    int n_passing = 0;
    for (int n = kFirstFault; n < kEndFault; ++n) {
        const std::string outdir = "out" + std::to_string(n);
        std::string loud = command("rastertide_lof", outdir, "-skip_errors " + quoted(folder));
        loud.replace(loud.find(" -q "), 4, " ");
        const CommandResult result = run(failing(fault("+1", n)) + loud);
        if (result.output.find("the run goes on") == std::string::npos) {
            if (n_passing > 0) break;  // those of the pixels are over
            continue;
        }
        ++n_passing;
        EXPECT_EQ(result.exit_code, 0) << n << ": " << result.output;
        EXPECT_TRUE(left_out(outdir).empty());
        expect_same_products(outdir, "whole_out");
    }
    EXPECT_GT(n_passing, 0);
}

/// Hours must not pass before this is found out.
TEST_F(SkipErrors, MasksWithoutDatesAreRefusedAtOnce) {
    const std::string folder = stack();
    fs::create_directories(file("masks"));
    for (int date = 0; date < kDates; ++date)
        write_bands(file("masks/m_") + std::to_string(date) + ".tif",
                    {1, kRows, kCols, std::vector<float>(kRows * kCols, 1)});
    const CommandResult refused = run(command(
        "rastertide_lof", "out", "-skip_errors -mask " + quoted(file("masks")) + " " + quoted(folder)));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.output.find("-skip_errors with several masks"), std::string::npos) << refused.output;
}

TEST_F(SkipErrors, MasksOfOneDayGoByTheirTimes) {
    fs::create_directories(file("stack"));
    fs::create_directories(file("masks"));
    for (int i = 0; i < kDates; ++i) {
        char name[64];
        std::snprintf(name, sizeof name, "/s_202001%02dT%02d0000.tif", 1 + i / 2, 6 + 12 * (i % 2));
        Bands mask{1, kRows, kCols, std::vector<float>(kRows * kCols, 1)};
        mask.values[static_cast<std::size_t>(i * 50)] = 0;
        write_bands(file("stack") + name, scene(i));
        write_bands(file("masks") + name, mask);
    }
    const std::string broken = "/s_20200103T180000.tif";
    const std::string run_of_stack = "-mask " + quoted(file("masks")) + " " + quoted(file("stack"));
    fs::resize_file(file("stack") + broken, 5000);
    expect_done(command("rastertide_lof", "out", "-skip_errors " + run_of_stack));
    fs::remove(file("stack") + broken);
    fs::remove(file("masks") + broken);
    expect_done(command("rastertide_lof", "whole_out", run_of_stack));
    expect_same_products("out", "whole_out");
}

TEST_F(SkipErrors, AnotherRunInTheFolderIsNotReplaced) {
    const std::string folder = stack();
    expect_done(command("rastertide_lof", "out", quoted(folder)));
    const auto before = products("out");
    cut(4, 0.9);
    EXPECT_EQ(run(command("rastertide_lof", "out", "-skip_errors " + quoted(folder))).exit_code, 1);
    EXPECT_TRUE(products("out") == before);
}

TEST_F(SkipErrors, NothingLeftIsAnError) {
    const std::string folder = stack();
    for (int date = 0; date < kDates; ++date) cut(date, 0.5);
    const CommandResult none = run(command("rastertide_lof", "none", "-skip_errors " + quoted(folder)));
    EXPECT_EQ(none.exit_code, 1);
    EXPECT_NE(none.output.find("none of 12 inputs can be read"), std::string::npos) << none.output;
}

TEST_F(SkipErrors, InfoNamesThem) {
    const std::string folder = stack();
    std::ofstream(folder + "/" + scene_name(3)) << "no raster";
    const CommandResult text = run(utility("rastertide_info") + " -q -skip_errors " + quoted(folder));
    EXPECT_EQ(text.exit_code, 0);
    EXPECT_NE(text.output.find("Left out:"), std::string::npos) << text.output;
    EXPECT_NE(text.output.find(scene_name(3)), std::string::npos) << text.output;
}

#ifdef RASTERTIDE_TEST_MPI
TEST_F(SkipErrors, TheSameOnSeveralRanks) {
    const std::string folder = stack();
    std::ofstream(folder + "/" + scene_name(1)) << "no raster";
    cut(4, 0.9);
    cut(9, 0.6);
    const std::string whole = stack_without({1, 4, 9});
    for (const std::string name : {"rastertide_lof", "rastertide_kmeans"}) {
        expect_done(testing_support::mpirun(3) + command(name, name, "-skip_errors " + quoted(folder)));
        expect_done(command(name, name + "_whole", quoted(whole)));
        expect_same_products(name, name + "_whole");
        EXPECT_EQ(left_out(name), (std::vector<std::string>{scene_name(1), scene_name(4), scene_name(9)}));
    }
}

/// Files that only one rank cannot open: all leave out the same.
TEST_F(SkipErrors, RanksThatSeeDifferentFiles) {
    const std::string folder = stack();
    cut(9, 0.6);
    const std::string whole = stack_without({2, 7, 9});
    expect_done(command("rastertide_lof", "whole_out", quoted(whole)));
    const std::string lof = command("rastertide_lof", "out", "-skip_errors " + quoted(folder));
    expect_done(testing_support::mpirun(1) + failing("read:1:" + scene_name(2)) + lof + " : -n 1 " +
                failing("read:1:" + scene_name(7)) + lof);
    expect_same_products("out", "whole_out");
    EXPECT_EQ(left_out("out"), (std::vector<std::string>{scene_name(2), scene_name(7), scene_name(9)}));
}
#endif

}  // namespace
}  // namespace rastertide
