// SPDX-License-Identifier: Apache-2.0
// rastertide_lof as users run it: products, ranks, threads and tiles, real stacks.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
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

/// A folder of dated speckle scenes with a nodata corner; one date has a bright spot.
void make_scenes(const std::string& folder, int n_dates, int n_rows, int n_cols) {
    fs::create_directories(folder);
    std::mt19937 random(11);
    std::gamma_distribution<float> speckle(4.0F, 0.25F);
    for (int date = 0; date < n_dates; ++date) {
        Bands scene{1, n_rows, n_cols, {}};
        for (int i = 0; i < n_rows * n_cols; ++i) scene.values.push_back(speckle(random));
        if (date % 5 == 0) scene.values[0] = std::numeric_limits<float>::quiet_NaN();
        if (date == 7) scene.values[static_cast<std::size_t>((n_rows / 2) * n_cols + n_cols / 2)] = 60;
        char name[64];
        std::snprintf(name, sizeof name, "/S1_2020%02d%02d.tif", 1 + date / 28, 1 + date % 28);
        write_bands(folder + name, scene);
    }
}

std::string lof_command(const std::string& scenes, const std::string& outdir, const std::string& options) {
    return utility("rastertide_lof") + " -q " + options + " -o " + quoted(outdir) + " " + quoted(scenes);
}

CommandResult run_lof(const std::string& scenes, const std::string& outdir, const std::string& options = "") {
    const CommandResult result = run(lof_command(scenes, outdir, options));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result;
}

class LofRuns : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        shared_ = std::make_unique<TempDir>();
        make_scenes(scenes(), 30, 40, 70);
        run_lof(scenes(), reference(), "-patch 5 -neighbors 6");
    }
    static void TearDownTestSuite() { shared_.reset(); }

    static std::string scenes() { return shared_->file("scenes"); }
    static std::string reference() { return shared_->file("reference"); }

    /// The same pixels, tables and figures as the reference run.
    static void expect_same_results(const std::string& outdir,
                                    const std::vector<const char*>& same_files = {
                                        "per_date.csv", "per_date.svg", "anomaly_count.tif", "lof_max.tif",
                                        "lof_max_date.tif"}) {
        for (const char* product :
             {"lof.vrt", "anomaly.vrt", "anomaly_count.tif", "lof_max.tif", "lof_max_date.tif"}) {
            const Bands expected = read_bands(reference() + "/" + product);
            const Bands found = read_bands(outdir + "/" + product);
            ASSERT_EQ(found.values.size(), expected.values.size()) << product;
            EXPECT_EQ(
                std::memcmp(found.values.data(), expected.values.data(), found.values.size() * sizeof(float)),
                0)
                << product;
        }
        for (const char* file : same_files) {
            EXPECT_TRUE(text_of(outdir + "/" + file) == text_of(reference() + "/" + file)) << file;
        }
        for (const char* key : {"mean", "std", "threshold", "anomalies", "scores", "anomalous_locations"}) {
            EXPECT_EQ(summary_of(outdir).at(key), summary_of(reference()).at(key)) << key;
        }
    }

    static inline std::unique_ptr<TempDir> shared_;
    TempDir dir_;
};

TEST_F(LofRuns, EveryProductIsThere) {
    for (const char* file :
         {"lof.vrt", "anomaly.vrt", "anomaly_count.tif", "lof_max.tif", "lof_max_date.tif", "per_date.csv",
          "per_date.svg", "summary.json", "run.json", "lof.qml", "anomaly.qml"}) {
        EXPECT_TRUE(fs::exists(reference() + "/" + file)) << file;
    }
}

TEST_F(LofRuns, ProductsCarryGeoreferenceDatesAndNodata) {
    const GDALDatasetUniquePtr lof(GDALDataset::Open((reference() + "/lof.vrt").c_str()));
    ASSERT_NE(lof, nullptr);
    double coefficients[6];
    lof->GetGeoTransform(coefficients);
    EXPECT_EQ(coefficients[0], 480000);
    EXPECT_EQ(coefficients[5], -10);
    EXPECT_EQ(std::string(lof->GetSpatialRef()->GetAuthorityCode(nullptr)), "32632");
    EXPECT_EQ(lof->GetRasterCount(), 30);
    EXPECT_EQ(std::string(lof->GetRasterBand(30)->GetMetadataItem("DATE")), "2020-02-02");
    EXPECT_EQ(std::string(lof->GetRasterBand(1)->GetDescription()), "2020-01-01");
    EXPECT_TRUE(std::isnan(lof->GetRasterBand(1)->GetNoDataValue()));
    EXPECT_NE(lof->GetRasterBand(1)->GetMetadataItem("STATISTICS_MEAN"), nullptr);
    EXPECT_EQ(std::string(lof->GetMetadataItem("AREA_OR_POINT")), "Area");

    const GDALDatasetUniquePtr dates(GDALDataset::Open((reference() + "/lof_max_date.tif").c_str()));
    dates->GetGeoTransform(coefficients);  // GDAL 3.6 loads the sidecar of a GeoTIFF no earlier
    ASSERT_NE(dates->GetRasterBand(1)->GetCategoryNames(), nullptr);
    EXPECT_EQ(std::string(dates->GetRasterBand(1)->GetCategoryNames()[1]), "2020-01-01");
}

TEST_F(LofRuns, GdalinfoShowsWhatTheProductsAre) {
    if (run("gdalinfo --version").exit_code != 0) GTEST_SKIP() << "there is no gdalinfo here";
    const CommandResult info = run("gdalinfo " + quoted(reference() + "/lof.vrt"));
    EXPECT_EQ(info.exit_code, 0) << info.output;
    for (const char* text :
         {"UTM zone 32N", "Origin = (480000.", "Pixel Size = (10.0", "Band 30 ", "DATE=2020-02-02",
          "NoData Value=nan", "STATISTICS_MEAN=", "RASTERTIDE_NEIGHBORS=6"}) {
        EXPECT_NE(info.output.find(text), std::string::npos) << text << " is not in:\n" << info.output;
    }
}

/// make_scenes() leaves out the first pixel of every fifth date, and so the patches of 5 x 5 that hold it.
bool expects_nodata(int band, int row, int col) { return band % 5 == 0 && row <= 2 && col <= 2; }

TEST_F(LofRuns, CountsAgreeWithMasksAndTables) {
    const Bands mask = read_bands(reference() + "/anomaly.vrt");
    const Bands count = read_bands(reference() + "/anomaly_count.tif");
    std::int64_t total = 0;
    for (int row = 0; row < mask.n_rows; ++row) {
        for (int col = 0; col < mask.n_cols; ++col) {
            const bool rim = row < 2 || col < 2 || row >= mask.n_rows - 2 || col >= mask.n_cols - 2;
            int anomalies = 0;
            for (int band = 0; band < mask.n_bands; ++band) {
                const float value = mask.at(band, row, col);
                ASSERT_EQ(value == 255, rim || expects_nodata(band, row, col));
                anomalies += value == 1 ? 1 : 0;
            }
            EXPECT_EQ(count.at(0, row, col), rim ? 65535 : anomalies);
            total += anomalies;
        }
    }
    EXPECT_EQ(summary_of(reference()).at("anomalies"), total);
    EXPECT_GT(total, 0);
}

TEST_F(LofRuns, ThePlantedSpotIsAnAnomalyOfItsDate) {
    const Bands max_date = read_bands(reference() + "/lof_max_date.tif");
    const Bands mask = read_bands(reference() + "/anomaly.vrt");
    EXPECT_EQ(max_date.at(0, 20, 35), 8);
    EXPECT_EQ(mask.at(7, 20, 35), 1);
    EXPECT_EQ(mask.at(6, 20, 35), 0);
}

TEST_F(LofRuns, NodataPixelsLeaveTheirDateOutAtTheirLocations) {
    const Bands lof = read_bands(reference() + "/lof.vrt");
    EXPECT_TRUE(std::isnan(lof.at(0, 2, 2)));
    EXPECT_FALSE(std::isnan(lof.at(1, 2, 2)));
    EXPECT_FALSE(std::isnan(lof.at(0, 2, 3)));
}

class LofRunsAgree : public LofRuns, public testing::WithParamInterface<const char*> {};

TEST_P(LofRunsAgree, ThreadsAndTilesChangeNoByte) {
    run_lof(scenes(), dir_.file("out"), std::string("-patch 5 -neighbors 6 ") + GetParam());
    expect_same_results(dir_.file("out"));
}

INSTANTIATE_TEST_SUITE_P(Options, LofRunsAgree,
                         testing::Values("-j 1", "-j 2", "-tile 16 5", "-tile 48 40 -j 2", "-tile 1000 1",
                                         "-mem 700MB"));

#ifdef RASTERTIDE_TEST_MPI
class LofRanksAgree : public LofRuns, public testing::WithParamInterface<int> {};

TEST_P(LofRanksAgree, RanksChangeNoByte) {
    const CommandResult result =
        run(testing_support::mpirun(GetParam()) +
            lof_command(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -tile 16 8 -j 1"));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    expect_same_results(dir_.file("out"));
    EXPECT_EQ(summary_of(dir_.file("out")).at("ranks"), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Ranks, LofRanksAgree, testing::Values(2, 3, 5));
#endif

TEST_F(LofRuns, TheReferenceDeviceAgreesWithTheCpu) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -device reference");
    const Bands expected = read_bands(reference() + "/lof.vrt");
    const Bands found = read_bands(dir_.file("out/lof.vrt"));
    for (std::size_t i = 0; i < found.values.size(); ++i) {
        if (std::isnan(found.values[i]) && std::isnan(expected.values[i])) continue;
        ASSERT_NEAR(found.values[i] / expected.values[i], 1, 1e-4) << i;
    }
}

TEST_F(LofRuns, AQuantileThresholdIsNumpysOfAllScores) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -threshold quantile:0.975 -tile 32 9");
    std::vector<float> scores = read_bands(dir_.file("out/lof.vrt")).values;
    std::erase_if(scores, [](float score) { return std::isnan(score); });
    std::sort(scores.begin(), scores.end());
    const double position = 0.975 * static_cast<double>(scores.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const double expected = scores[below] + (position - static_cast<double>(below)) *
                                                (static_cast<double>(scores[below + 1]) - scores[below]);
    EXPECT_DOUBLE_EQ(summary_of(dir_.file("out")).at("threshold"), expected);
}

TEST_F(LofRuns, AValueThresholdIsTakenAsItIs) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -threshold value:1.25");
    EXPECT_EQ(summary_of(dir_.file("out")).at("threshold"), 1.25);
}

TEST_F(LofRuns, DecibelsScoreTheLogarithm) {
    Bands scene = read_bands(scenes() + "/S1_20200101.tif");
    const std::string in_db = dir_.file("db");
    fs::create_directories(in_db);
    for (const auto& entry : fs::directory_iterator(scenes())) {
        Bands bands = read_bands(entry.path().string());
        for (float& value : bands.values) value = 10 * std::log10(value);
        write_bands(in_db + "/" + entry.path().filename().string(), bands);
    }
    run_lof(scenes(), dir_.file("scaled"), "-patch 3 -neighbors 6 -scale db");
    run_lof(in_db, dir_.file("plain"), "-patch 3 -neighbors 6");
    EXPECT_NEAR(summary_of(dir_.file("scaled")).at("mean").get<double>(),
                summary_of(dir_.file("plain")).at("mean").get<double>(), 1e-6);
}

TEST_F(LofRuns, AMultiBandRasterAndAFolderGiveTheSameScores) {
    Bands stack{30, 40, 70, {}};
    for (int date = 0; date < 30; ++date) {
        char name[64];
        std::snprintf(name, sizeof name, "/S1_2020%02d%02d.tif", 1 + date / 28, 1 + date % 28);
        const Bands scene = read_bands(scenes() + name);
        stack.values.insert(stack.values.end(), scene.values.begin(), scene.values.end());
    }
    write_bands(dir_.file("stack.tif"), stack);
    run_lof(dir_.file("stack.tif"), dir_.file("out"), "-patch 5 -neighbors 6");
    EXPECT_EQ(summary_of(dir_.file("out")).at("mean"), summary_of(reference()).at("mean"));
}

TEST_F(LofRuns, AnotherNodataValueChangesNoScore) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -a_nodata -1 -threshold quantile:0.9");
    const Bands expected = read_bands(reference() + "/lof.vrt");
    const Bands found = read_bands(dir_.file("out/lof.vrt"));
    for (std::size_t i = 0; i < found.values.size(); ++i) {
        ASSERT_EQ(found.values[i], std::isnan(expected.values[i]) ? -1 : expected.values[i]) << i;
    }
    const GDALDatasetUniquePtr highest(GDALDataset::Open(dir_.file("out/lof_max.tif").c_str()));
    EXPECT_EQ(highest->GetRasterBand(1)->GetNoDataValue(), -1);
    EXPECT_EQ(read_bands(dir_.file("out/lof_max.tif")).at(0, 0, 0), -1);
    EXPECT_EQ(summary_of(dir_.file("out")).at("mean"), summary_of(reference()).at("mean"));
}

TEST_F(LofRuns, AnotherTypeChangesNoScore) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -ot Float64");
    expect_same_results(dir_.file("out"),
                        {"per_date.csv", "per_date.svg", "anomaly_count.tif", "lof_max_date.tif"});
    const GDALDatasetUniquePtr lof(GDALDataset::Open(dir_.file("out/lof.vrt").c_str()));
    EXPECT_EQ(lof->GetRasterBand(1)->GetRasterDataType(), GDT_Float64);
}

TEST_F(LofRuns, OverwriteReplacesARunAndNothingElse) {
    run_lof(scenes(), dir_.file("out"), "-patch 3 -neighbors 5");
    std::ofstream(dir_.file("out/notes.txt")) << "mine";
    const CommandResult refused = run(lof_command(scenes(), dir_.file("out"), ""));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.output.find("-overwrite"), std::string::npos) << refused.output;

    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -overwrite");
    EXPECT_EQ(text_of(dir_.file("out/notes.txt")), "mine");
    expect_same_results(dir_.file("out"));
}

TEST_F(LofRuns, OverwriteNeverRemovesItsOwnInput) {
    run_lof(scenes(), dir_.file("out"), "-patch 3 -neighbors 5");
    const CommandResult refused =
        run(lof_command(dir_.file("out/lof.vrt"), dir_.file("out"), "-neighbors 5 -overwrite"));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.output.find("the input lies in the output folder"), std::string::npos)
        << refused.output;
    EXPECT_EQ(read_bands(dir_.file("out/lof.vrt")).n_bands, 30);
}

TEST_F(LofRuns, OptionsThatCannotWorkLeaveTheEarlierRun) {
    run_lof(scenes(), dir_.file("out"), "-patch 3 -neighbors 5");
    const std::string summary = text_of(dir_.file("out/summary.json"));
    for (const char* bad : {"-co FOO", "-co COMPRESS=BOGUS", "-of PNG", "-of netCDF -co ZLEVEL=high"}) {
        const CommandResult refused =
            run(lof_command(scenes(), dir_.file("out"), std::string("-overwrite -neighbors 5 ") + bad));
        EXPECT_NE(refused.exit_code, 0) << bad;
        EXPECT_EQ(text_of(dir_.file("out/summary.json")), summary) << bad << ": " << refused.output;
    }
}

TEST_F(LofRuns, TheFloatingPointPredictorIsForTheScores) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -co COMPRESS=DEFLATE -co PREDICTOR=3");
    expect_same_results(dir_.file("out"));
}

TEST_F(LofRuns, FormatsOfSeveralFilesAreWhole) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -of ENVI");
    const Bands expected = read_bands(reference() + "/lof.vrt");
    const Bands found = read_bands(dir_.file("out/lof.bin"));
    EXPECT_EQ(std::memcmp(found.values.data(), expected.values.data(), found.values.size() * sizeof(float)),
              0);
    for (const auto& entry : fs::directory_iterator(dir_.file("out"))) {
        EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
    }
}

TEST_F(LofRuns, NamesOfAnyBytesWork) {
    const std::string odd = dir_.file("scenes");
    fs::create_directories(odd);
    for (const auto& entry : fs::directory_iterator(scenes())) {
        fs::copy(entry.path(), odd + "/caf\xe9_" + entry.path().filename().string());
    }
    run_lof(odd, dir_.file("out"), "-patch 5 -neighbors 6");
    expect_same_results(dir_.file("out"));
}

TEST_F(LofRuns, OneFileAProductIsWrittenOnDemand) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -of GTiff -co COMPRESS=DEFLATE");
    const Bands expected = read_bands(reference() + "/lof.vrt");
    const Bands found = read_bands(dir_.file("out/lof.tif"));
    EXPECT_EQ(std::memcmp(found.values.data(), expected.values.data(), found.values.size() * sizeof(float)),
              0);
}

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(LofRuns, Hdf5IsOneCfFileAProduct) {
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -ot Float64 -a_nodata -1 -of HDF5");
    for (const std::string product : {"lof", "anomaly"}) {
        const Bands expected = read_bands(dir_.file("out/" + product + ".vrt"));
        const std::string name = "NETCDF:\"" + dir_.file("out/" + product + ".h5") + "\":" + product;
        EXPECT_EQ(read_bands(name).values, expected.values) << product;
        const GDALDatasetUniquePtr file(GDALDataset::Open(name.c_str()));
        const GDALDatasetUniquePtr vrt(GDALDataset::Open(dir_.file("out/" + product + ".vrt").c_str()));
        std::array<double, 6> found{}, wanted{};
        file->GetGeoTransform(found.data());
        vrt->GetGeoTransform(wanted.data());
        EXPECT_EQ(found, wanted);
        EXPECT_TRUE(file->GetSpatialRef()->IsSame(vrt->GetSpatialRef()));
        EXPECT_EQ(file->GetRasterBand(1)->GetNoDataValue(), product == "lof" ? -1 : 255);
        EXPECT_EQ(file->GetRasterBand(1)->GetRasterDataType(), product == "lof" ? GDT_Float64 : GDT_Byte);
        EXPECT_STREQ(file->GetMetadataItem("NC_GLOBAL#Conventions"), "CF-1.8");
        EXPECT_STREQ(file->GetMetadataItem("NC_GLOBAL#RASTERTIDE_NEIGHBORS"), "6");
    }
    const nlohmann::json read = nlohmann::json::parse(
        run(utility("rastertide_info") + " -json " + quoted(dir_.file("out/lof.h5"))).output);
    const nlohmann::json written = json_of(dir_.file("out/run.json"));
    ASSERT_EQ(read.at("dates"), 30);
    for (std::size_t i = 0; i < 30; ++i)
        EXPECT_EQ(read.at("scenes")[i].at("date"), written.at("scenes")[i].at("date")) << i;

    const std::string bytes = text_of(dir_.file("out/lof.h5"));
    std::this_thread::sleep_until(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                                  std::chrono::milliseconds(1100));  // HDF5 would note another second
    run_lof(scenes(), dir_.file("out"),
            "-patch 5 -neighbors 6 -ot Float64 -a_nodata -1 -of HDF5 -tile 32 9 -overwrite");
    EXPECT_TRUE(text_of(dir_.file("out/lof.h5")) == bytes);
    run_lof(scenes(), dir_.file("out"), "-patch 5 -neighbors 6 -overwrite");
    EXPECT_FALSE(fs::exists(dir_.file("out/lof.h5")));
}

TEST_F(LofRuns, Hdf5NeedsDatesAndTakesNoCreationOptions) {
    const std::string undated = dir_.file("undated");
    fs::create_directories(undated);
    int number = 0;
    for (const auto& entry : fs::directory_iterator(scenes())) {
        const std::string copy = undated + "/s" + std::to_string(100 + number++) + ".tif";
        fs::copy(entry.path(), copy);
        const GDALDatasetUniquePtr file(GDALDataset::Open(copy.c_str(), GDAL_OF_UPDATE));
        file->GetRasterBand(1)->SetMetadataItem("DATE", nullptr);
        file->GetRasterBand(1)->SetDescription("");
    }
    const CommandResult dateless =
        run(lof_command(undated, dir_.file("out"), "-patch 5 -neighbors 6 -of HDF5"));
    EXPECT_EQ(dateless.exit_code, 1);
    EXPECT_NE(dateless.output.find("-of HDF5: the scenes have no dates"), std::string::npos)
        << dateless.output;
    const CommandResult options =
        run(lof_command(scenes(), dir_.file("out"), "-neighbors 6 -of HDF5 -co COMPRESS=DEFLATE"));
    EXPECT_EQ(options.exit_code, 1);
    EXPECT_NE(options.output.find("-of HDF5 has no creation options"), std::string::npos) << options.output;
    EXPECT_FALSE(fs::exists(dir_.file("out/run.json")));
}
#endif

TEST_F(LofRuns, FileNamesWithSpacesQuotesAndUmlautsWork) {
    const std::string odd = dir_.file("Sz\u00e4ne 'a\" & b");
    fs::copy(scenes(), odd);
    run_lof(odd, dir_.file("aus gabe\u00fc&<"), "-patch 5 -neighbors 6");
    expect_same_results(dir_.file("aus gabe\u00fc&<"));
}

TEST_F(LofRuns, SummaryTellsStagesBytesAndMemory) {
    const nlohmann::json summary = summary_of(reference());
    EXPECT_EQ(summary.at("stages").at("read").at("bytes"), 30 * 40 * 70 * 4);
    EXPECT_EQ(summary.at("stages").at("write_scores").at("bytes"), 30 * 40 * 70 * 4);
    EXPECT_GT(summary.at("peak_memory_bytes"), 1 << 20);
    EXPECT_GT(summary.at("stages").at("lof").at("peak_memory_bytes"), 1 << 20);
    EXPECT_LE(summary.at("stages").at("lof").at("peak_memory_bytes"), summary.at("peak_memory_bytes"));
    EXPECT_GT(summary.at("seconds"), 0);
}

/// The real stacks lie beside the project; where they are not, these tests say so.
class LofOnRealStacks : public testing::TestWithParam<std::string> {};

TEST_P(LofOnRealStacks, ScoresAreThoseOfScikitLearn) {
    const std::string tests = RASTERTIDE_TESTS_DIR;
    const std::string data = tests + "/../../shared/data/";
    if (!fs::exists(data)) GTEST_SKIP() << "no real stacks at " << data;
    const std::string tables = tests + "/oracles/tables/";
    const nlohmann::json expected =
        nlohmann::json::parse(text_of(tables + "cases.json")).at("cases").at(GetParam());
    const TempDir dir;
    std::ofstream list(dir.file("inputs.txt"));
    for (const std::string input : expected.at("inputs")) list << data << input << '\n';
    list.close();

    const CommandResult result =
        run(utility("rastertide_lof") + " -q -patch " + std::to_string(expected.at("patch").get<int>()) +
            " -neighbors " + std::to_string(expected.at("neighbors").get<int>()) + " -input_file_list " +
            quoted(dir.file("inputs.txt")) + " -o " + quoted(dir.file("out")));

    ASSERT_EQ(result.exit_code, 0) << result.output;
    const nlohmann::json summary = summary_of(dir.file("out"));
    const auto n_scores = expected.at("scores").get<std::int64_t>();
    EXPECT_EQ(summary.at("scores"), n_scores);
    EXPECT_NEAR(summary.at("mean").get<double>() / expected.at("mean").get<double>(), 1, 1e-6);
    EXPECT_NEAR(summary.at("std").get<double>() / expected.at("mean").get<double>(),
                expected.at("std").get<double>() / expected.at("mean").get<double>(), 1e-6);
    EXPECT_LE(
        std::abs(summary.at("anomalies").get<std::int64_t>() - expected.at("anomalies").get<std::int64_t>()),
        std::ceil(1e-5 * static_cast<double>(n_scores)));
    const Bands table = read_bands(tables + GetParam() + "_lof.tif");
    const Bands found = read_bands(dir.file("out/lof.vrt"));
    ASSERT_EQ(found.values.size(), table.values.size());
    std::int64_t n_far = 0;
    for (std::size_t i = 0; i < found.values.size(); ++i) {
        ASSERT_EQ(std::isnan(found.values[i]), std::isnan(table.values[i])) << i;
        n_far += std::abs(found.values[i] - table.values[i]) > 1e-4 * table.values[i] ? 1 : 0;
    }
    EXPECT_LE(static_cast<double>(n_far), 1e-4 * static_cast<double>(n_scores));
}

INSTANTIATE_TEST_SUITE_P(Stacks, LofOnRealStacks,
                         testing::Values("sar_opera_ca_vv", "sar_niger", "sar_opera_ca_small_vh"),
                         [](const auto& param_info) { return param_info.param; });

}  // namespace
}  // namespace rastertide
