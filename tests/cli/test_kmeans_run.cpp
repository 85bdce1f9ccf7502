// SPDX-License-Identifier: Apache-2.0
// rastertide_kmeans as users run it: products, ranks, threads and tiles; labels and energy against a plain
// sum.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/background_run.hpp"
#include "support/command.hpp"
#include "support/rasters.hpp"
#include "support/run_folder.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::BackgroundRun;
using testing_support::Bands;
using testing_support::CommandResult;
using testing_support::json_of;
using testing_support::quoted;
using testing_support::read_bands;
using testing_support::run;
using testing_support::summary_of;
using testing_support::TempDir;
using testing_support::text_of;
using testing_support::utility;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::string scene_name(int date) {
    char name[64];
    std::snprintf(name, sizeof name, "/S1_202001%02d.tif", 1 + date);
    return name;
}

/// A coast: sea at 0.1 in the west, fields at 1 and a town at 5 within them, under speckle. A nodata pixel at
/// even dates.
Bands coast(int date, int n_rows, int n_cols, std::mt19937& random) {
    std::gamma_distribution<float> speckle(64.0F, 1.0F / 64);
    Bands scene{1, n_rows, n_cols, {}};
    for (int row = 0; row < n_rows; ++row) {
        for (int col = 0; col < n_cols; ++col) {
            const bool town = row > n_rows / 2 && col > 2 * n_cols / 3;
            const float level = town ? 5.0F : col > n_cols / 3 ? 1.0F : 0.1F;
            scene.values.push_back(level * speckle(random));
        }
    }
    if (date % 2 == 0) scene.values[static_cast<std::size_t>(10 * n_cols + 40)] = kNan;
    return scene;
}

void make_scenes(const std::string& folder, int n_dates, int n_rows, int n_cols) {
    fs::create_directories(folder);
    std::mt19937 random(3);
    for (int date = 0; date < n_dates; ++date)
        write_bands(folder + scene_name(date), coast(date, n_rows, n_cols, random));
}

std::string kmeans_command(const std::string& stack, const std::string& outdir, const std::string& options) {
    return utility("rastertide_kmeans") + " -q " + options + " -o " + quoted(outdir) + " " + quoted(stack);
}

CommandResult run_kmeans(const std::string& stack, const std::string& outdir, const std::string& options) {
    const CommandResult result = run(kmeans_command(stack, outdir, options));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result;
}

struct Model {
    explicit Model(const std::string& outdir) {
        const nlohmann::json json = json_of(outdir + "/centers.json");
        patch = json.at("patch");
        centers = json.at("centers").get<std::vector<std::vector<double>>>();
        sizes = json.at("sizes").get<std::vector<std::int64_t>>();
        energy = json.at("energy").is_null() ? std::nan("") : json.at("energy").get<double>();
    }
    int patch = 0;
    std::vector<std::vector<double>> centers;
    std::vector<std::int64_t> sizes;
    double energy = 0;
};

/// Patch of one band around a location.
std::vector<double> patch_of(const Bands& scene, int row, int col, int patch) {
    std::vector<double> values;
    for (int y = row - patch / 2; y <= row + patch / 2; ++y) {
        for (int x = col - patch / 2; x <= col + patch / 2; ++x)
            values.push_back(static_cast<double>(scene.at(0, y, x)));
    }
    return values;
}

double squared_distance(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

class KMeansRuns : public testing::Test {
  protected:
    static constexpr int kDates = 6, kRows = 40, kCols = 70;

    static void SetUpTestSuite() {
        shared_ = std::make_unique<TempDir>();
        make_scenes(scenes(), kDates, kRows, kCols);
        run_kmeans(scenes(), reference(), "-patch 5 -k 3");
    }
    static void TearDownTestSuite() { shared_.reset(); }

    static std::string scenes() { return shared_->file("scenes"); }
    static std::string reference() { return shared_->file("reference"); }

    static void expect_same_labels(const std::string& found_dir, const std::string& expected_dir) {
        const Bands found = read_bands(found_dir + "/labels.vrt");
        const Bands expected = read_bands(expected_dir + "/labels.vrt");
        ASSERT_EQ(found.values.size(), expected.values.size());
        EXPECT_EQ(
            std::memcmp(found.values.data(), expected.values.data(), found.values.size() * sizeof(float)), 0);
    }
    static void expect_same_results(const std::string& found, const std::string& expected) {
        expect_same_labels(found, expected);
        for (const char* file : {"centers.json", "centers.tif", "elbow.csv", "elbow.svg", "labels.qml"})
            EXPECT_TRUE(text_of(found + "/" + file) == text_of(expected + "/" + file)) << file;
    }

    static inline std::unique_ptr<TempDir> shared_;
    TempDir dir_;
};

TEST_F(KMeansRuns, EveryProductIsThere) {
    for (const char* file : {"labels.vrt", "labels.qml", "centers.json", "centers.tif", "elbow.csv",
                             "elbow.svg", "summary.json", "run.json"}) {
        EXPECT_TRUE(fs::exists(reference() + "/" + file)) << file;
    }
}

TEST_F(KMeansRuns, LabelsCarryGeoreferenceDatesColorsAndNames) {
    const GDALDatasetUniquePtr labels(GDALDataset::Open((reference() + "/labels.vrt").c_str()));
    ASSERT_NE(labels, nullptr);
    double coefficients[6];
    labels->GetGeoTransform(coefficients);
    EXPECT_EQ(coefficients[0], 480000);
    EXPECT_EQ(std::string(labels->GetSpatialRef()->GetAuthorityCode(nullptr)), "32632");
    ASSERT_EQ(labels->GetRasterCount(), kDates);
    GDALRasterBand* band = labels->GetRasterBand(2);
    EXPECT_EQ(band->GetRasterDataType(), GDT_Byte);
    EXPECT_EQ(band->GetNoDataValue(), 0);
    EXPECT_EQ(std::string(band->GetDescription()), "2020-01-02");
    EXPECT_EQ(std::string(band->GetMetadataItem("DATE")), "2020-01-02");
    EXPECT_EQ(std::string(band->GetMetadataItem("STATISTICS_MAXIMUM")), "3");
    ASSERT_NE(band->GetColorTable(), nullptr);
    EXPECT_EQ(band->GetColorTable()->GetColorEntryCount(), 4);
    EXPECT_EQ(band->GetColorTable()->GetColorEntry(0)->c4, 0);  // nodata is not painted
    EXPECT_EQ(std::string(band->GetCategoryNames()[3]), "cluster 3");
}

TEST_F(KMeansRuns, CenterImagesHoldTheModel) {
    const Model model(reference());
    const Bands images = read_bands(reference() + "/centers.tif");
    ASSERT_EQ(images.n_bands, 3);
    ASSERT_EQ(images.n_rows, 5);
    for (int k = 0; k < 3; ++k) {
        for (int i = 0; i < 25; ++i)
            EXPECT_FLOAT_EQ(
                images.at(k, i / 5, i % 5),
                static_cast<float>(model.centers[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)]));
    }
}

/// Every label is that of the nearest centre, and energy and sizes are those of the labels.
TEST_F(KMeansRuns, LabelsEnergyAndSizesAreThoseOfThePlainDefinition) {
    const Model model(reference());
    const Bands labels = read_bands(reference() + "/labels.vrt");
    std::vector<std::int64_t> sizes(model.centers.size(), 0);
    double energy = 0;
    for (int date = 0; date < kDates; ++date) {
        const Bands scene = read_bands(scenes() + scene_name(date));
        for (int row = 0; row < kRows; ++row) {
            for (int col = 0; col < kCols; ++col) {
                const bool rim = row < 2 || col < 2 || row >= kRows - 2 || col >= kCols - 2;
                const bool nodata = date % 2 == 0 && std::abs(row - 10) <= 2 && std::abs(col - 40) <= 2;
                const auto label = static_cast<std::size_t>(labels.at(date, row, col));
                ASSERT_EQ(label == 0, rim || nodata) << date << ' ' << row << ' ' << col;
                if (label == 0) continue;
                const std::vector<double> patch = patch_of(scene, row, col, 5);
                const double own = squared_distance(patch, model.centers[label - 1]);
                for (const std::vector<double>& center : model.centers)
                    ASSERT_LE(own, squared_distance(patch, center) * (1 + 1e-5));
                energy += own;
                ++sizes[label - 1];
            }
        }
    }
    EXPECT_EQ(sizes, model.sizes);
    EXPECT_NEAR(model.energy / energy, 1, 1e-9);
    EXPECT_EQ(summary_of(reference()).at("energy").get<double>(), model.energy);
}

TEST_F(KMeansRuns, LabelsAreInTheOrderOfTheMeansAndFindTheCoast) {
    const Bands labels = read_bands(reference() + "/labels.vrt");
    EXPECT_EQ(labels.at(1, 20, 10), 1);
    EXPECT_EQ(labels.at(1, 8, 60), 2);
    EXPECT_EQ(labels.at(1, 30, 60), 3);
}

TEST_F(KMeansRuns, TheSeedAndNothingElseChangesTheDraws) {
    run_kmeans(scenes(), dir_.file("again"), "-patch 5 -k 3");
    expect_same_results(dir_.file("again"), reference());
    run_kmeans(scenes(), dir_.file("random_0"), "-patch 5 -k 3 -init random -max_iter 1");
    run_kmeans(scenes(), dir_.file("random_1"), "-patch 5 -k 3 -init random -max_iter 1 -seed 1");
    EXPECT_NE(Model(dir_.file("random_0")).energy, Model(dir_.file("random_1")).energy);
}

/// Of every way to fit: with one rank, one thread and one tile.
class KMeansRunsAgree : public KMeansRuns, public testing::WithParamInterface<const char*> {
  protected:
    void expect_agreement(const std::string& prefix, const std::string& options) {
        const std::string fit = GetParam();
        const std::string scenes = shared_->file("small"), expected = shared_->file("fit " + fit);
        if (!fs::exists(scenes)) make_scenes(scenes, 4, 24, 50);
        if (!fs::exists(expected)) run_kmeans(scenes, expected, fit + " -j 1");
        const CommandResult result =
            run(prefix + kmeans_command(scenes, dir_.file("found"), fit + " " + options));
        ASSERT_EQ(result.exit_code, 0) << result.output;
        expect_same_results(dir_.file("found"), expected);
    }
};

TEST_P(KMeansRunsAgree, ThreadsAndTilesChangeNoByte) { expect_agreement("", "-tile 16 7 -j 2"); }

#ifdef RASTERTIDE_TEST_MPI
TEST_P(KMeansRunsAgree, RanksChangeNoByte) {
    expect_agreement(testing_support::mpirun(3), "-tile 32 8 -j 1");
}
TEST_P(KMeansRunsAgree, MoreRanksThanTilesChangeNoByte) {
    expect_agreement(testing_support::mpirun(2), "-tile 1000 1000 -j 1");
}
#endif

INSTANTIATE_TEST_SUITE_P(Fits, KMeansRunsAgree,
                         testing::Values("-patch 3 -k 4", "-patch 5 -k 4 -n_init 2", "-patch 3 -k 2:4",
                                         "-patch 3 -k 5 -init random", "-patch 3 -k 5 -init kmeans++",
                                         "-patch 3 -k 5 -init 'kmeans||'",
                                         "-patch 3 -k 4 -algorithm batch-parallel -parts 3",
                                         "-patch 3 -k 4 -algorithm minibatch -max_iter 5",
                                         "-k 4 -features time"));

/// A stack that is large enough for its fits to begin on a share of it.
class LargeStackRuns : public KMeansRuns {
  protected:
    static constexpr int kDates = 80, kSize = 464;

    static void SetUpTestSuite() {
        KMeansRuns::SetUpTestSuite();
        std::mt19937 random(7);
        Bands stack{kDates, kSize, kSize, {}};
        for (int date = 0; date < kDates; ++date) {
            const Bands scene = coast(date, kSize, kSize, random);
            stack.values.insert(stack.values.end(), scene.values.begin(), scene.values.end());
        }
        write_bands(large(), stack);
        output_ = run_kmeans(large(), expected(), fit() + " -j 2 -v").output;
    }
    static std::string large() { return shared_->file("large.tif"); }
    static std::string expected() { return shared_->file("large"); }
    static std::string fit() { return "-patch 3 -k 3:4"; }
    static inline std::string output_;
};

TEST_F(LargeStackRuns, BeginOnAShareAndEndSoonAfterIt) {
    EXPECT_NE(output_.find("one of 16 dates of each block"), std::string::npos) << output_;
    EXPECT_LE(summary_of(expected()).at("iterations").get<int>(), 3);
    const std::string small = run_kmeans(scenes(), dir_.file("small"), "-v").output;
    EXPECT_EQ(small.find("of each block"), std::string::npos) << small;
}

TEST_F(LargeStackRuns, GoOnFromTheEndOfTheShare) {
    const std::string outdir = dir_.file("found"), state = outdir + "/fit_state.json";
    // On a busy machine a run may end before it is killed.
    for (int attempt = 0; attempt < 5 && !fs::exists(state); ++attempt) {
        fs::remove_all(outdir);
        BackgroundRun killed("exec " + kmeans_command(large(), outdir, fit()), dir_.file("log"));
        while (!fs::exists(state) && !killed.has_ended())
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        killed.kill_all(outdir);
    }
    ASSERT_TRUE(fs::exists(state)) << text_of(dir_.file("log"));
    const std::string output = run_kmeans(large(), outdir, fit() + " -v -resume").output;
    EXPECT_EQ(output.find("of each block"), std::string::npos) << output;
    expect_same_results(outdir, expected());
}

#ifdef RASTERTIDE_TEST_MPI
TEST_F(LargeStackRuns, RanksAndTilesChangeNoByte) {
    const CommandResult result =
        run(testing_support::mpirun(3) +
            kmeans_command(large(), dir_.file("found"), fit() + " -tile 112 50 -j 1"));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    expect_same_results(dir_.file("found"), expected());
}
#else
TEST_F(LargeStackRuns, ThreadsAndTilesChangeNoByte) {
    run_kmeans(large(), dir_.file("found"), fit() + " -tile 112 50 -j 1");
    expect_same_results(dir_.file("found"), expected());
}
#endif

class KMeansStarts : public KMeansRuns, public testing::WithParamInterface<const char*> {};

TEST_P(KMeansStarts, EveryWayFindsTheCoast) {
    run_kmeans(scenes(), dir_.file("out"), std::string("-patch 5 -k 3 ") + GetParam());
    EXPECT_NEAR(Model(dir_.file("out")).energy / Model(reference()).energy, 1, 0.005);
}

INSTANTIATE_TEST_SUITE_P(Ways, KMeansStarts,
                         testing::Values("-init kmeans++", "-init 'k-means||'", "-init random -n_init 4",
                                         "-algorithm batch-parallel", "-algorithm minibatch"));

TEST_F(KMeansRuns, TheBestOfSeveralFitsIsKept) {
    double least = std::numeric_limits<double>::infinity();
    run_kmeans(scenes(), dir_.file("several"), "-patch 3 -k 6 -init random -n_init 4 -max_iter 3");
    run_kmeans(scenes(), dir_.file("one"), "-patch 3 -k 6 -init random -max_iter 3");
    least = Model(dir_.file("several")).energy;
    EXPECT_LE(least, Model(dir_.file("one")).energy);
}

TEST_F(KMeansRuns, AModelLabelsItsOwnScenesAsBefore) {
    const std::string model = quoted(reference() + "/centers.json");
    run_kmeans(scenes(), dir_.file("out"), "-model " + model);
    expect_same_labels(dir_.file("out"), reference());
    EXPECT_EQ(Model(dir_.file("out")).centers, Model(reference()).centers);
    EXPECT_EQ(Model(dir_.file("out")).sizes, Model(reference()).sizes);
#ifdef RASTERTIDE_TEST_MPI
    const CommandResult ranks =
        run(testing_support::mpirun(2) +
            kmeans_command(scenes(), dir_.file("ranks"), "-tile 16 9 -model " + model));
    ASSERT_EQ(ranks.exit_code, 0) << ranks.output;
    expect_same_labels(dir_.file("ranks"), reference());
#endif
}

TEST_F(KMeansRuns, AModelByHandLabelsByItsCenters) {
    std::ofstream(dir_.file("model.json")) << R"({"patch": 1, "bands": 1, "k": 2, "centers": [[0], [4]]})";
    run_kmeans(scenes(), dir_.file("out"), "-model " + quoted(dir_.file("model.json")));
    const Bands labels = read_bands(dir_.file("out/labels.vrt"));
    const Bands scene = read_bands(scenes() + scene_name(1));
    for (int row = 0; row < kRows; ++row) {
        for (int col = 0; col < kCols; ++col)
            ASSERT_EQ(labels.at(1, row, col), scene.at(0, row, col) <= 2 ? 1 : 2) << row << ' ' << col;
    }
}

TEST_F(KMeansRuns, AStartFromAFileGoesOnFromItsCenters) {
    run_kmeans(scenes(), dir_.file("out"), "-init " + quoted(reference() + "/centers.json"));
    EXPECT_EQ(summary_of(dir_.file("out")).at("k"), 3);
    EXPECT_EQ(summary_of(dir_.file("out")).at("iterations"), 1);  // it had converged
}

TEST_F(KMeansRuns, AModelOfTheRunThatIsReplacedIsReadFirst) {
    run_kmeans(scenes(), dir_.file("out"), "-patch 5 -k 3");
    const std::string model = quoted(dir_.file("out/centers.json"));
    run_kmeans(scenes(), dir_.file("out"), "-overwrite -model " + model);
    expect_same_labels(dir_.file("out"), reference());
    run_kmeans(scenes(), dir_.file("out"), "-overwrite -init " + model);
    expect_same_labels(dir_.file("out"), reference());

    // What is known to be wrong leaves the run as it is.
    const CommandResult refused =
        run(kmeans_command(scenes(), dir_.file("out"), "-overwrite -k 4 -init " + model));
    EXPECT_EQ(refused.exit_code, 1) << refused.output;
    expect_same_labels(dir_.file("out"), reference());
}

TEST_F(KMeansRuns, TheElbowIsWholeAndLabelsAreOfItsKnee) {
    run_kmeans(scenes(), dir_.file("out"), "-patch 3 -k 1:6");
    const nlohmann::json summary = summary_of(dir_.file("out"));
    ASSERT_EQ(summary.at("elbow").size(), 6U);
    double last = std::numeric_limits<double>::infinity();
    for (const nlohmann::json& point : summary.at("elbow")) {
        EXPECT_LT(point.at("energy").get<double>(), last);
        last = point.at("energy");
    }
    EXPECT_EQ(summary.at("knee"), 2);  // town and the rest
    EXPECT_EQ(Model(dir_.file("out")).centers.size(), 2U);
    EXPECT_EQ(read_bands(dir_.file("out/centers.tif")).n_bands, 2);
    EXPECT_NE(text_of(dir_.file("out/elbow.csv")).find("\n2,"), std::string::npos);

    // A k of the elbow is the fit of that k alone.
    run_kmeans(scenes(), dir_.file("alone"), "-patch 3 -k 2");
    expect_same_labels(dir_.file("alone"), dir_.file("out"));
}

TEST_F(KMeansRuns, AnEmptyClusterTakesTheFarthestPatch) {
    std::ofstream(dir_.file("start.json"))
        << R"({"patch": 1, "bands": 1, "k": 3, "centers": [[0.1], [2], [1e6]]})";
    run_kmeans(scenes(), dir_.file("out"), "-max_iter 1 -init " + quoted(dir_.file("start.json")));
    float highest = 0;
    for (int date = 0; date < kDates; ++date) {
        for (const float value : read_bands(scenes() + scene_name(date)).values)
            highest = std::isnan(value) ? highest : std::max(highest, value);
    }
    EXPECT_NEAR(Model(dir_.file("out")).centers[2][0], static_cast<double>(highest), 1e-6);
}

TEST_F(KMeansRuns, FewerPatchesThatDifferThanClustersLeaveSomeEmpty) {
    Bands scene{1, 20, 20, {}};
    for (int i = 0; i < 400; ++i) scene.values.push_back(i % 20 < 10 ? 1.0F : 3.0F);
    for (const char* init : {"sample", "kmeans++", "'kmeans||'", "random"}) {
        const std::string stack = dir_.file("two_levels.tif");
        write_bands(stack, scene);
        const CommandResult result = run(utility("rastertide_kmeans") + " -overwrite -patch 1 -k 4 -init " +
                                         init + " -o " + quoted(dir_.file("out")) + " " + quoted(stack));
        EXPECT_EQ(result.exit_code, 0) << result.output;
        EXPECT_NE(result.output.find("2 of 4 clusters are empty"), std::string::npos)
            << init << result.output;
        EXPECT_NEAR(Model(dir_.file("out")).energy, 0, 1e-9) << init;
    }
}

TEST_F(KMeansRuns, TwoBandsADateAreOnePatch) {
    const std::string folder = dir_.file("bands");
    fs::create_directories(folder);
    std::mt19937 random(5);
    std::uniform_real_distribution<float> noise(0, 0.1F);
    for (int date = 0; date < 2; ++date) {
        Bands both{2, 12, 15, {}};
        for (int i = 0; i < 180; ++i) both.values.push_back(noise(random));  // the first tells nothing
        for (int i = 0; i < 180; ++i) both.values.push_back((i % 15 < 7 ? 0.0F : 2.0F) + noise(random));
        write_bands(folder + scene_name(date), both);
    }
    run_kmeans(folder, dir_.file("out"), "-patch 1 -k 2 -b 1 -b 2");
    const Bands labels = read_bands(dir_.file("out/labels.vrt"));
    ASSERT_EQ(labels.n_bands, 2);
    for (int row = 0; row < 12; ++row) {
        for (int col = 0; col < 15; ++col) ASSERT_EQ(labels.at(1, row, col), col < 7 ? 1 : 2);
    }
    EXPECT_EQ(json_of(dir_.file("out/centers.json")).at("bands"), 2);
    EXPECT_EQ(read_bands(dir_.file("out/centers.tif")).n_bands, 4);
}

/// Places differ in their course over time alone; a nodata pixel at any date leaves its place out.
TEST_F(KMeansRuns, TimeSeriesAreSamplesOfTheirOwn) {
    const std::string folder = dir_.file("courses");
    fs::create_directories(folder);
    for (int date = 0; date < 4; ++date) {
        Bands scene{1, 10, 12, {}};
        for (int i = 0; i < 120; ++i) {
            const bool rising = i % 12 < 5;
            scene.values.push_back(static_cast<float>(rising ? date : 3 - date));
        }
        if (date == 2) scene.values[0] = kNan;
        write_bands(folder + scene_name(date), scene);
    }
    run_kmeans(folder, dir_.file("out"), "-features time -k 2");
    const Bands labels = read_bands(dir_.file("out/labels.vrt"));
    ASSERT_EQ(labels.n_bands, 1);
    EXPECT_EQ(labels.at(0, 0, 0), 0);
    for (int i = 2; i < 120; ++i)
        ASSERT_EQ(labels.at(0, i / 12, i % 12) == labels.at(0, 0, 1), i % 12 < 5) << i;
    EXPECT_NEAR(Model(dir_.file("out")).energy, 0, 1e-9);
    const Bands images = read_bands(dir_.file("out/centers.tif"));
    EXPECT_EQ(images.n_bands, 2);
    EXPECT_EQ(images.n_rows, 4);
}

TEST_F(KMeansRuns, ManyClustersAreUInt16) {
    make_scenes(dir_.file("small"), 2, 20, 30);
    run_kmeans(dir_.file("small"), dir_.file("out"), "-patch 1 -k 300 -init random -max_iter 2");
    const GDALDatasetUniquePtr labels(GDALDataset::Open(dir_.file("out/labels.vrt").c_str()));
    EXPECT_EQ(labels->GetRasterBand(1)->GetRasterDataType(), GDT_UInt16);
    const std::vector<float> values = read_bands(dir_.file("out/labels.vrt")).values;
    EXPECT_EQ(*std::max_element(values.begin(), values.end()), 300);
}

TEST_F(KMeansRuns, OneFileHoldsTheLabelsWhereAFormatIsAskedFor) {
    run_kmeans(scenes(), dir_.file("out"), "-patch 5 -k 3 -of GTiff -co COMPRESS=DEFLATE");
    const Bands found = read_bands(dir_.file("out/labels.tif"));
    EXPECT_EQ(found.values, read_bands(reference() + "/labels.vrt").values);
}

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(KMeansRuns, Hdf5HoldsTheLabels) {
    run_kmeans(scenes(), dir_.file("out"), "-patch 5 -k 3 -of HDF5");
    const std::string name = "NETCDF:\"" + dir_.file("out/labels.h5") + "\":labels";
    EXPECT_EQ(read_bands(name).values, read_bands(reference() + "/labels.vrt").values);
    const GDALDatasetUniquePtr labels(GDALDataset::Open(name.c_str()));
    EXPECT_EQ(labels->GetRasterBand(1)->GetRasterDataType(), GDT_Byte);
    EXPECT_EQ(labels->GetRasterBand(1)->GetNoDataValue(), 0);

    make_scenes(dir_.file("small"), 2, 20, 30);
    run_kmeans(dir_.file("small"), dir_.file("wide"), "-patch 1 -k 300 -init random -max_iter 2 -of HDF5");
    const GDALDatasetUniquePtr wide(GDALDataset::Open(dir_.file("wide/labels.h5").c_str()));
    EXPECT_EQ(wide->GetRasterBand(1)->GetRasterDataType(), GDT_UInt16);

    run_kmeans(scenes(), dir_.file("time"), "-features time -patch 1 -k 3 -of HDF5");
    EXPECT_EQ(read_bands(dir_.file("time/labels.h5")).values,
              read_bands(dir_.file("time/labels.vrt")).values);
}
#endif

/// The pixel function is the plugin's; what it is given can be looked at without.
TEST_F(KMeansRuns, LazyLabelsReferToTheScenes) {
    run_kmeans(scenes(), dir_.file("out"), "-patch 5 -k 3 -lazy");
    expect_same_results(dir_.file("out"), reference());
    for (const char* name : {"out/labels_lazy.vrt", "out/labels_lazy_expression.vrt"}) {
        const GDALDatasetUniquePtr lazy(GDALDataset::Open(dir_.file(name).c_str()));
        ASSERT_NE(lazy, nullptr) << name;
        ASSERT_EQ(lazy->GetRasterCount(), kDates);
        EXPECT_EQ(lazy->GetRasterXSize(), kCols);
        EXPECT_EQ(std::string(lazy->GetRasterBand(2)->GetMetadataItem("DATE")), "2020-01-02");
        EXPECT_EQ(std::string(lazy->GetRasterBand(1)->GetCategoryNames()[2]), "cluster 2");
    }
    const Bands pixels = read_bands(dir_.file("out/labels_lazy_pixels.vrt"));
    const Bands scene = read_bands(scenes() + scene_name(0));
    ASSERT_EQ(pixels.n_bands, 2 * kDates);
    EXPECT_NEAR(pixels.at(0, 0, 1) - pixels.at(0, 0, 0), scene.at(0, 0, 1) - scene.at(0, 0, 0), 1e-6);
    EXPECT_EQ(pixels.at(1, 0, 0), 1);
    EXPECT_NE(pixels.at(1, 10, 40), 1);  // nodata

    run_kmeans(scenes(), dir_.file("out"), "-patch 5 -k 3 -overwrite");
    EXPECT_FALSE(fs::exists(dir_.file("out/labels_lazy.vrt")));
    EXPECT_FALSE(fs::exists(dir_.file("out/labels_lazy_expression_full.vrt")));
}

TEST_F(KMeansRuns, OverwriteReplacesARunOfItsOwnKindAlone) {
    run_kmeans(scenes(), dir_.file("out"), "-patch 3 -k 2");
    const CommandResult refused = run(kmeans_command(scenes(), dir_.file("out"), "-k 2"));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.output.find("-overwrite"), std::string::npos) << refused.output;
    run_kmeans(scenes(), dir_.file("out"), "-patch 5 -k 3 -overwrite");
    expect_same_results(dir_.file("out"), reference());

    const CommandResult other = run(utility("rastertide_lof") + " -q -neighbors 3 -overwrite -o " +
                                    quoted(dir_.file("out")) + " " + quoted(scenes()));
    EXPECT_EQ(other.exit_code, 1);
    EXPECT_NE(other.output.find("is not the record of a rastertide_lof run"), std::string::npos);
    expect_same_results(dir_.file("out"), reference());
}

TEST_F(KMeansRuns, TheReferenceDeviceAgreesWithTheCpu) {
    run_kmeans(scenes(), dir_.file("out"), "-patch 5 -k 3 -device reference");
    EXPECT_NEAR(Model(dir_.file("out")).energy / Model(reference()).energy, 1, 1e-6);
    expect_same_labels(dir_.file("out"), reference());
}

}  // namespace
}  // namespace rastertide
