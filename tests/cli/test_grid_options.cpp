// SPDX-License-Identifier: Apache-2.0
// Stacks of scenes on several grids, and windows of stacks, through the utilities.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/command.hpp"
#include "support/placed.hpp"
#include "support/run_folder.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::Bands;
using testing_support::Coefficients;
using testing_support::coefficients_of;
using testing_support::CommandResult;
using testing_support::cropped;
using testing_support::json_of;
using testing_support::quoted;
using testing_support::read_bands;
using testing_support::run;
using testing_support::TempDir;
using testing_support::utility;
using testing_support::write_placed;

constexpr int kDates = 12;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
const std::string kTarget = "-t_srs EPSG:4326 -tr 0.0002 0.0001 -te 8.694 54.052 8.706 54.058";

void expect_same(const Bands& found, const Bands& expected) {
    ASSERT_EQ(found.values.size(), expected.values.size());
    std::size_t n_valid = 0;
    for (std::size_t i = 0; i < found.values.size(); ++i) {
        ASSERT_EQ(std::isnan(found.values[i]), std::isnan(expected.values[i])) << i;
        if (std::isnan(found.values[i])) continue;
        ++n_valid;
        ASSERT_EQ(found.values[i], expected.values[i]) << i;
    }
    EXPECT_GT(n_valid, 0U);
}

class GridRuns : public testing::Test {
  protected:
    static Bands scene(int date, int n_rows = 60, int n_cols = 70) {
        Bands bands{1, n_rows, n_cols, {}};
        for (int i = 0; i < n_rows * n_cols; ++i)
            bands.values.push_back(static_cast<float>((i * 37 + date * date * 11) % 101));
        return bands;
    }

    static std::string scene_name(int date) {
        return "s_202001" + std::string(date < 10 ? "0" : "") + std::to_string(date) + ".tif";
    }

    std::string folder(const std::string& name) const {
        fs::create_directories(dir_.file(name));
        return dir_.file(name);
    }

    /// Dated scenes, each third of them 50 m east and 30 m south, or on one grid.
    std::string stack(bool shifted) const {
        const std::string inputs = folder("stack");
        for (int date = 1; date <= kDates; ++date) {
            const double shift = shifted && date % 3 == 0 ? 1 : 0;
            write_placed(inputs + "/" + scene_name(date), scene(date),
                         {480000 + 50 * shift, 10, 0, 5990000 - 30 * shift, 0, -10});
        }
        return inputs;
    }

    static std::string command(const std::string& outdir, const std::string& arguments) {
        return utility("rastertide_lof") + " -q -patch 3 -neighbors 5 -overwrite -o " + quoted(outdir) + " " +
               arguments;
    }

    /// The folder of a finished run.
    std::string lof(const std::string& name, const std::string& arguments,
                    const std::string& launcher = "") const {
        const CommandResult result = run(launcher + command(dir_.file(name), arguments));
        EXPECT_EQ(result.exit_code, 0) << result.output;
        return dir_.file(name);
    }

    static void expect_error(const std::string& command, int exit_code,
                             const std::vector<std::string>& words) {
        const CommandResult result = run(command);
        EXPECT_EQ(result.exit_code, exit_code) << command << '\n' << result.output;
        EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
        for (const std::string& word : words) {
            EXPECT_NE(result.output.find(word), std::string::npos)
                << "no '" << word << "' in: " << result.output;
        }
    }

    TempDir dir_;
};

TEST_F(GridRuns, AWarpedStackScoresAsScenesThatGdalwarpMade) {
    const std::string inputs = stack(true);
    const std::string warped = folder("warped");
    for (int date = 1; date <= kDates; ++date) {
        const std::string name = "/" + scene_name(date);
        testing_support::warp(inputs + name, warped + name, "-r near " + kTarget);
    }
    const std::string found = lof("out", kTarget + " " + quoted(inputs));
    const std::string expected = lof("expected", quoted(warped));
    EXPECT_EQ(coefficients_of(found + "/lof.vrt"), coefficients_of(expected + "/lof.vrt"));
    expect_same(read_bands(found + "/lof.vrt"), read_bands(expected + "/lof.vrt"));
    EXPECT_EQ(testing_support::summary_of(found).at("mean"),
              testing_support::summary_of(expected).at("mean"));
}

TEST_F(GridRuns, TilesAndRanksChangeNothing) {
    const std::string arguments = "-r cubic " + kTarget + " " + quoted(stack(true));
    const std::string whole = lof("whole", arguments);
    const std::string tiled = lof("tiled", "-tile 16 7 " + arguments);
    expect_same(read_bands(tiled + "/lof.vrt"), read_bands(whole + "/lof.vrt"));
    EXPECT_EQ(read_bands(tiled + "/anomaly_count.tif").values,
              read_bands(whole + "/anomaly_count.tif").values);
#ifdef RASTERTIDE_TEST_MPI
    const std::string ranks = lof("ranks", "-tile 16 7 " + arguments, testing_support::mpirun(2));
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tiled + "/tiles")) {
        if (!entry.is_regular_file()) continue;
        const std::string name = fs::relative(entry.path(), tiled).string();
        EXPECT_EQ(testing_support::text_of(ranks + "/" + name), testing_support::text_of(entry.path()))
            << name;
    }
#endif
}

TEST_F(GridRuns, AWindowIsTheCropOfTheWholeResult) {
    const std::string inputs = stack(false);
    const Bands whole = read_bands(lof("whole", quoted(inputs)) + "/lof.vrt");
    for (const std::string window :
         {"-projwin 480100 5989900 480400 5989700", "-te 480100 5989700 480400 5989900"}) {
        const std::string part = lof("part", window + " " + quoted(inputs));
        EXPECT_EQ(coefficients_of(part + "/lof.vrt"), (Coefficients{480100, 10, 0, 5989900, 0, -10}));
        // A location at the window's rim has no whole patch there.
        expect_same(cropped(read_bands(part + "/lof.vrt"), 1, 1, 28, 18), cropped(whole, 11, 11, 28, 18));
    }
}

TEST_F(GridRuns, FramesScoreAsTheUnsplitScenes) {
    const std::string frames = folder("frames");
    const std::string inputs = stack(false);
    for (int date = 1; date <= kDates; ++date) {
        const Bands whole = scene(date);
        write_placed(frames + "/a" + scene_name(date), cropped(whole, 0, 0, 70, 33),
                     {480000, 10, 0, 5990000, 0, -10});
        write_placed(frames + "/b" + scene_name(date), cropped(whole, 0, 30, 70, 30),
                     {480000, 10, 0, 5989700, 0, -10});
    }
    const std::string found = lof("out", "-align union " + quoted(frames));
    expect_same(read_bands(found + "/lof.vrt"), read_bands(lof("expected", quoted(inputs)) + "/lof.vrt"));
}

TEST_F(GridRuns, RunJsonRecordsTheOptions) {
    const std::string out =
        lof("out", "-t_srs EPSG:32632 -tr 20 20 -r average -date_step 2 " + quoted(stack(true)));
    const nlohmann::json options = json_of(out + "/run.json").at("options");
    EXPECT_EQ(options.at("t_srs"), "EPSG:32632");
    EXPECT_EQ(options.at("tr"), nlohmann::json({20, 20}));
    EXPECT_EQ(options.at("r"), "average");
    EXPECT_EQ(options.at("date_step"), 2);
    EXPECT_TRUE(options.at("te").is_null());
    EXPECT_EQ(json_of(out + "/run.json").at("scenes").size(), 6U);
}

TEST_F(GridRuns, InfoListsEveryDifference) {
    const std::string inputs = stack(true);
    write_placed(inputs + "/" + scene_name(5), scene(5, 60, 71), {480000, 10, 0, 5990000, 0, -10}, 32633);
    const CommandResult text = run(utility("rastertide_info") + " " + quoted(inputs));
    EXPECT_EQ(text.exit_code, kFailed);
    for (const char* word :
         {"Scene", "Expected", "480050", "5989970", "71 x 60 pixels", "EPSG:32633", "error: "}) {
        EXPECT_NE(text.output.find(word), std::string::npos) << word << " in\n" << text.output;
    }
    const CommandResult json =
        run("(" + utility("rastertide_info") + " -json " + quoted(inputs) + " 2>/dev/null)");
    EXPECT_EQ(json.exit_code, kFailed);
    const nlohmann::json differences = nlohmann::json::parse(json.output).at("differences");
    EXPECT_EQ(differences.size(), 10U);  // two edges of four scenes, size and CRS of one
    EXPECT_EQ(differences[0].at("what"), "left edge");
    EXPECT_EQ(differences[0].at("expected"), "480000");
    EXPECT_EQ(run(utility("rastertide_info") + " -align union " + quoted(inputs)).exit_code, 0);
}

TEST_F(GridRuns, AMismatchNamesTheOptionThatHelps) {
    const std::string inputs = stack(true);
    for (const char* name : {"rastertide_lof", "rastertide_kmeans"}) {
        expect_error(utility(name) + " -o " + quoted(dir_.file("none")) + " " + quoted(inputs), kFailed,
                     {scene_name(3), "left edge 480050", "expected 480000", "-align union"});
    }
}

TEST_F(GridRuns, BadValuesAreBadUsage) {
    const std::vector<std::pair<std::string, std::string>> bad = {
        {"-align both", "-align 'both'"},
        {"-te 0 0 0 5", "-te"},
        {"-te 0 0 nan 5", "-te"},
        {"-te 0 0 1 5 -te_srs EPSG:junk", "-te_srs 'EPSG:junk'"},
        {"-te_srs EPSG:4326", "-te_srs"},
        {"-te 0 0 1 5 -align union", "-align and -te"},
        {"-tr 0 5", "-tr"},
        {"-tr 5 inf", "-tr"},
        {"-tap", "-tap"},
        {"-t_srs EPSG:junk", "-t_srs 'EPSG:junk'"},
        {"-align union -r nearest", "-r 'nearest'"},
        {"-r cubic", "-r"},
        {"-projwin 0 0 0 5", "-projwin"},
        {"-projwin 0 0 5 nan", "-projwin"},
        {"-projwin 0 0 5 5 -projwin_srs EPSG:junk", "-projwin_srs 'EPSG:junk'"},
        {"-projwin_srs EPSG:4326", "-projwin_srs"},
        {"-mosaic maybe", "-mosaic 'maybe'"},
        {"-date_step 0", "-date_step 0"},
        {"-date_step two", "-date_step 'two'"},
    };
    for (const auto& [options, words] : bad) {
        expect_error(command(dir_.file("none"), options + " absent.tif"), kUsage, {words});
    }
}

TEST_F(GridRuns, AWindowBesideTheStackNamesBothExtents) {
    expect_error(command(dir_.file("none"), "-projwin 0 10 10 0 " + quoted(stack(false))), kFailed,
                 {"-projwin 0 0 10 10", "480000 5989400 480700 5990000"});
    expect_error(command(dir_.file("none"), "-te 0 0 10 10 " + quoted(stack(false))), kFailed,
                 {"-te 0 0 10 10", "480000 5989400 480700 5990000"});
}

TEST_F(GridRuns, KMeansLabelsAWindow) {
    const std::string inputs = stack(false);
    const std::string base = utility("rastertide_kmeans") + " -q -patch 3 -k 3 -overwrite -o ";
    const std::string out = dir_.file("labels");
    const CommandResult result =
        run(base + quoted(out) + " -projwin 480100 5989900 480400 5989700 " + quoted(inputs));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(coefficients_of(out + "/labels.vrt"), (Coefficients{480100, 10, 0, 5989900, 0, -10}));
    EXPECT_EQ(json_of(out + "/run.json").at("options").at("projwin"),
              nlohmann::json({480100, 5989900, 480400, 5989700}));
    expect_error(base + quoted(out) + " -lazy -projwin 480100 5989900 480400 5989700 " + quoted(inputs),
                 kFailed, {"-lazy", "window"});
}

}  // namespace
}  // namespace rastertide
