// SPDX-License-Identifier: Apache-2.0
// rastertide_simulate, rastertide_info, and what rastertide_lof finds of what was planted.
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/command.hpp"
#include "support/rasters.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::Bands;
using testing_support::CommandResult;
using testing_support::quoted;
using testing_support::read_bands;
using testing_support::run;
using testing_support::TempDir;
using testing_support::utility;

constexpr int kPatchHalf = 3;
constexpr int kPatchPixels = 49;
constexpr int kShip = 1, kStorm = 2, kChange = 3;

CommandResult succeed(const std::string& command) {
    CommandResult result = run(command);
    EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.output;
    return result;
}

/// Pixels of the patch around a location whose truth lies in [lowest, highest].
int count_in_patch(const Bands& truth, int date, int row, int col, int lowest, int highest) {
    int n = 0;
    for (int r = row - kPatchHalf; r <= row + kPatchHalf; ++r) {
        for (int c = col - kPatchHalf; c <= col + kPatchHalf; ++c) {
            const float value = truth.at(date, r, c);
            n += value >= static_cast<float>(lowest) && value <= static_cast<float>(highest) ? 1 : 0;
        }
    }
    return n;
}

struct Found {
    double n = 0;
    double n_found = 0;
    void add(bool is_found) {
        n += 1;
        n_found += is_found ? 1 : 0;
    }
    double share() const { return n_found / n; }
};

bool has_score(const Bands& anomaly, int date, int row, int col) { return anomaly.at(date, row, col) <= 1; }

/// What of the pixels of one kind was found, at the locations that lie on them.
Found recall(const Bands& anomaly, const Bands& truth, int kind) {
    Found found;
    for (int date = 0; date < truth.n_bands; ++date) {
        for (int row = 0; row < truth.n_rows; ++row) {
            for (int col = 0; col < truth.n_cols; ++col) {
                if (truth.at(date, row, col) != static_cast<float>(kind)) continue;
                if (has_score(anomaly, date, row, col)) found.add(anomaly.at(date, row, col) == 1);
            }
        }
    }
    return found;
}

/// What of the changes was found, at locations that changed for at most `longest` dates, on dates when all of
/// the patch did.
Found recall_of_changes(const Bands& anomaly, const Bands& truth, int longest) {
    Found found;
    for (int row = kPatchHalf; row < truth.n_rows - kPatchHalf; ++row) {
        for (int col = kPatchHalf; col < truth.n_cols - kPatchHalf; ++col) {
            int n_touched = 0;
            std::vector<int> whole;
            for (int date = 0; date < truth.n_bands && n_touched <= longest; ++date) {
                const int n = count_in_patch(truth, date, row, col, kChange, kChange);
                n_touched += n > 0 ? 1 : 0;
                if (n == kPatchPixels) whole.push_back(date);
            }
            if (n_touched > longest) continue;
            for (const int date : whole) {
                if (has_score(anomaly, date, row, col)) found.add(anomaly.at(date, row, col) == 1);
            }
        }
    }
    return found;
}

/// Anomalies whose patch holds something planted.
Found precision(const Bands& anomaly, const Bands& truth) {
    Found found;
    for (int date = 0; date < anomaly.n_bands; ++date) {
        for (int row = kPatchHalf; row < anomaly.n_rows - kPatchHalf; ++row) {
            for (int col = kPatchHalf; col < anomaly.n_cols - kPatchHalf; ++col) {
                if (anomaly.at(date, row, col) != 1) continue;
                found.add(count_in_patch(truth, date, row, col, kShip, kChange) > 0);
            }
        }
    }
    return found;
}

class PlantedAnomalies : public testing::TestWithParam<const char*> {};

TEST_P(PlantedAnomalies, AreFound) {
    const TempDir dir;
    const std::string stack = dir.file(GetParam());
    succeed(utility("rastertide_simulate") + " -q -o " + quoted(stack) +
            " -n_dates 60 -outsize 240 200 -nodata_fraction 0.1 -seed 3");
    succeed(utility("rastertide_lof") + " -q -scale db -o " + quoted(dir.file("out")) + " " + quoted(stack));

    const Bands anomaly = read_bands(dir.file("out/anomaly.vrt"));
    const Bands truth = read_bands(dir.file("stack_truth.tif"));

    // Up to half as many dates as there are neighbours: a longer change is its own neighbourhood, and no
    // outlier.
    constexpr int kShortChange = 5;
    const Found ships = recall(anomaly, truth, kShip);
    const Found storms = recall(anomaly, truth, kStorm);
    const Found changes = recall_of_changes(anomaly, truth, kShortChange);
    const Found all = precision(anomaly, truth);
    RecordProperty("recall", std::to_string(ships.share()) + " " + std::to_string(storms.share()) + " " +
                                 std::to_string(changes.share()) + ", precision " +
                                 std::to_string(all.share()));
    EXPECT_GT(ships.n, 500);
    EXPECT_GT(storms.n, 5000);
    EXPECT_GT(changes.n, 100);
    EXPECT_GE(ships.share(), 0.99);
    EXPECT_GE(storms.share(), 0.99);
    EXPECT_GE(changes.share(), 0.99);
    EXPECT_GE(all.share(), 0.95);
}

std::vector<const char*> formats() {
#if defined(RASTERTIDE_TEST_HDF5) && !defined(__SANITIZE_ADDRESS__)  // 60 dates of one size suffice there
    return {"stack", "stack.h5"};
#else
    return {"stack"};
#endif
}

INSTANTIATE_TEST_SUITE_P(Formats, PlantedAnomalies, testing::ValuesIn(formats()));

TEST(SimulateRun, ASeedIsOneStackWhateverMemoryAndThreads) {
    const TempDir dir;
    const std::string sizes = " -q -n_dates 12 -outsize 300 260 -seed 9 ";
    succeed(utility("rastertide_simulate") + sizes + "-o " + quoted(dir.file("a")));
    succeed(utility("rastertide_simulate") + sizes + "-j 1 -mem 110MB -o " + quoted(dir.file("b")));

    const Bands a = read_bands(dir.file("a/sim_20190109.tif"));
    const Bands b = read_bands(dir.file("b/sim_20190109.tif"));
    EXPECT_EQ(std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)), 0);
}

TEST(SimulateRun, AnEarlierStackIsNotOverwrittenUnasked) {
    const TempDir dir;
    const std::string command =
        utility("rastertide_simulate") + " -q -n_dates 3 -outsize 32 32 -o " + quoted(dir.file("a"));
    succeed(command);

    const CommandResult refused = run(command);

    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.output.find("-overwrite"), std::string::npos) << refused.output;
    succeed(command + " -overwrite");
}

TEST(InfoRun, TellsGridDatesAndPlan) {
    const TempDir dir;
    succeed(utility("rastertide_simulate") + " -q -n_dates 30 -outsize 200 150 -o " +
            quoted(dir.file("stack")));

    const CommandResult text = succeed(utility("rastertide_info") + " " + quoted(dir.file("stack")));
    const CommandResult json = succeed(utility("rastertide_info") + " -json " + quoted(dir.file("stack")));

    EXPECT_NE(text.output.find("EPSG:32632"), std::string::npos) << text.output;
    EXPECT_NE(text.output.find("30, 2019-01-03 to 2019-06-26"), std::string::npos) << text.output;
    const nlohmann::json info = nlohmann::json::parse(json.output);
    EXPECT_EQ(info.at("size"), nlohmann::json({200, 150}));
    EXPECT_EQ(info.at("grid").at("upper_left"), nlohmann::json({480000.0, 5990000.0}));
    EXPECT_EQ(info.at("dates"), 30);
    EXPECT_EQ(info.at("nodata"), "nan");
    EXPECT_EQ(info.at("lof").at("locations"), 194 * 144);
    EXPECT_EQ(info.at("lof").at("scores"), 194 * 144 * 30);
    EXPECT_EQ(info.at("float32_bytes"), 200 * 150 * 30 * 4);
    EXPECT_TRUE(info.at("problems").empty());
    EXPECT_EQ(info.at("scenes").at(1).at("date"), "2019-01-09");
}

TEST(InfoRun, NamesTheProblemsOfAStack) {
    const TempDir dir;
    succeed(utility("rastertide_simulate") + " -q -n_dates 5 -outsize 64 64 -o " + quoted(dir.file("stack")));

    const CommandResult json = succeed(utility("rastertide_info") + " -json " + quoted(dir.file("stack")));

    const nlohmann::json info = nlohmann::json::parse(json.output);
    EXPECT_TRUE(info.at("lof").is_null());
    ASSERT_EQ(info.at("problems").size(), 1U);
    EXPECT_EQ(info.at("problems").at(0), "neighbors 10 needs at least 11 dates, the stack has 5");
}

}  // namespace
}  // namespace rastertide
