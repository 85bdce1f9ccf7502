// SPDX-License-Identifier: Apache-2.0
// The forms that a stack can have, through the utilities.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <gdal_utils.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/command.hpp"
#ifdef RASTERTIDE_TEST_HDF5
#include "support/cf_file.hpp"
#include "support/hdf5_stack.hpp"
#endif
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
using testing_support::TempDir;
using testing_support::utility;
using testing_support::write_bands;

class Inputs : public testing::Test {
  protected:
    /// A raster whose pixels differ by date, band and place.
    static Bands scene(int date, int n_bands = 1, int n_rows = 12, int n_cols = 16) {
        Bands bands{n_bands, n_rows, n_cols, {}};
        for (int i = 0; i < n_bands * n_rows * n_cols; ++i)
            bands.values.push_back(static_cast<float>((i * 37 + date * date * 11) % 101));
        return bands;
    }

    /// "s_2020-01-01.tif" and so on.
    static std::string scene_name(int date) {
        char name[64];
        std::snprintf(name, sizeof name, "s_2020-%02d-%02d.tif", 1 + date / 28, 1 + date % 28);
        return name;
    }

    /// A folder of n_dates scenes.
    std::string stack(int n_dates, int n_bands = 1) {
        const std::string folder = dir_.file("stack");
        fs::create_directories(folder);
        for (int date = 0; date < n_dates; ++date)
            write_bands(folder + "/" + scene_name(date), scene(date, n_bands));
        return folder;
    }

    std::string lof(const std::string& arguments) const {
        return utility("rastertide_lof") + " -q -patch 3 -neighbors 5 -overwrite -o " +
               quoted(dir_.file("out")) + " " + arguments;
    }

    static void expect_done(const std::string& command) {
        const CommandResult result = run(command);
        EXPECT_EQ(result.exit_code, 0) << result.output;
    }

    /// Shards of a product of the run in "out".
    std::int64_t n_shards(const std::string& product) const {
        const std::string folder = dir_.file("out/tiles/" + product);
        return std::count_if(fs::directory_iterator(folder), fs::directory_iterator(),
                             [](const auto& entry) { return entry.path().extension() == ".tif"; });
    }

    /// What rastertide_info says about a stack.
    static nlohmann::json info(const std::string& arguments) {
        const CommandResult result = run(utility("rastertide_info") + " -json " + arguments);
        EXPECT_EQ(result.exit_code, 0) << result.output;
        return nlohmann::json::parse(result.output, nullptr, false);
    }

    TempDir dir_;
};

/// Whoever reads the products sees nodata there.
TEST_F(Inputs, TilesWithoutAValidLocationMakeNoShard) {
    const std::string folder = dir_.file("half");
    fs::create_directories(folder);
    for (int date = 0; date < 8; ++date) {
        Bands half = scene(date, 1, 60, 130);
        for (std::size_t i = 0; i < half.values.size(); ++i) {
            if (i % 130 < 70) half.values[i] = std::nanf("");
        }
        write_bands(folder + "/" + scene_name(date), half);
    }
    for (const char* utility_name : {"rastertide_lof", "rastertide_kmeans"}) {
        const bool is_lof = std::string(utility_name) == "rastertide_lof";
        const std::string product = is_lof ? "lof" : "labels";
        const auto values = [&](const std::string& options) {
            fs::remove_all(dir_.file("out"));
            expect_done(utility(utility_name) + " -q -patch 3 " + (is_lof ? "-neighbors 5 " : "-k 3 ") +
                        options + " -o " + quoted(dir_.file("out")) + " " + quoted(folder));
            return read_bands(dir_.file("out/" + product + ".vrt")).values;
        };
        const std::vector<float> whole = values("-tile 130 60");
        EXPECT_EQ(n_shards(product), 1);
        const std::vector<float> tiled = values("-tile 32 32");
        EXPECT_EQ(n_shards(product), 2 * 3);  // of 2 x 5: those that reach beyond column 70
        if (is_lof) {
            EXPECT_EQ(n_shards("anomaly"), 2 * 3);
        }
        ASSERT_EQ(whole.size(), tiled.size());
        for (std::size_t i = 0; i < whole.size(); ++i)
            ASSERT_TRUE(whole[i] == tiled[i] || (std::isnan(whole[i]) && std::isnan(tiled[i]))) << i;
    }
}

TEST_F(Inputs, MoreScenesThanAProcessMayOpenFiles) {
    expect_done("ulimit -Sn 128 && " + lof(quoted(stack(200))));
}

/// Each form of a stack gives the scores of the same values in single-band Float32 files.
class InputForms : public Inputs {
  protected:
    static constexpr int kDates = 12;

    /// The scores of a stack.
    std::vector<float> scores(const std::string& arguments) {
        expect_done(lof(arguments));
        return read_bands(dir_.file("out/lof.vrt")).values;
    }

    void expect_same_scores(const std::vector<float>& found, const std::vector<float>& expected) {
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            ASSERT_EQ(std::isnan(found[i]), std::isnan(expected[i])) << i;
            if (std::isnan(found[i])) continue;
            ASSERT_EQ(found[i], expected[i]) << i;
        }
    }

    std::vector<std::string> scene_paths() {
        std::vector<std::string> paths;
        for (int date = 0; date < kDates; ++date) paths.push_back(stack(0) + "/" + scene_name(date));
        return paths;
    }
};

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(InputForms, Hdf5WithoutCoordinatesButWithThoseOfTheUser) {
    const std::vector<float> expected = scores(quoted(stack(kDates)));
    Bands all{kDates, 12, 16, {}};
    for (int date = 0; date < kDates; ++date) {
        const Bands one = scene(date);
        all.values.insert(all.values.end(), one.values.begin(), one.values.end());
    }
    testing_support::write_hdf5_stack(dir_.file("a.h5"), all, H5T_NATIVE_FLOAT);
    const std::string place = "-a_srs EPSG:32632 -a_ullr 480000 5990000 480160 5989880 ";
    const std::string name = "HDF5:\"" + dir_.file("a.h5") + "\"://data";

    const nlohmann::json described = info(place + quoted(name));
    EXPECT_EQ(described.at("grid").at("geotransform"), nlohmann::json({480000, 10, 0, 5990000, 0, -10}));
    EXPECT_NE(described.at("grid").at("crs").get<std::string>().find("32632"), std::string::npos);
    EXPECT_EQ(described.at("problems").size(), 1U);  // no dates
    expect_same_scores(scores(place + quoted(name)), expected);
}
#endif

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(InputForms, TwoVariablesOfAFileAreOnePatch) {
    const std::vector<float> expected = scores("-b 1 -b 2 " + quoted(stack(kDates, 2)));
    std::array<Bands, 2> variables = {Bands{kDates, 12, 16, {}}, Bands{kDates, 12, 16, {}}};
    for (int date = 0; date < kDates; ++date) {
        const std::vector<float> both = scene(date, 2).values;
        const auto middle = both.begin() + 12 * 16;
        variables[0].values.insert(variables[0].values.end(), both.begin(), middle);
        variables[1].values.insert(variables[1].values.end(), middle, both.end());
    }
    {
        const testing_support::CfFile file(dir_.file("a.h5"));
        file.stack("VV", variables[0], H5T_NATIVE_FLOAT, {kDates, 5, 7});
        file.stack("VH", variables[1], H5T_NATIVE_FLOAT, {kDates, 5, 7});
    }
    const std::string arguments = "-dataset VV -dataset VH " + quoted(dir_.file("a.h5"));
    expect_same_scores(scores(arguments), expected);
    EXPECT_EQ(info(arguments).at("bands"), nlohmann::json({"VV", "VH"}));
    EXPECT_EQ(json_of(dir_.file("out/run.json")).at("options").at("dataset"), nlohmann::json({"VV", "VH"}));
}
#endif

TEST_F(InputForms, VrtOfSeparateFiles) {
    const std::vector<float> expected = scores(quoted(stack(kDates)));
    std::vector<std::string> paths = scene_paths();
    std::vector<const char*> names;
    for (const std::string& path : paths) names.push_back(path.c_str());
    CPLStringList words;
    words.AddString("-separate");
    GDALBuildVRTOptions* options = GDALBuildVRTOptionsNew(words.List(), nullptr);
    GDALClose(GDALBuildVRT(dir_.file("a.vrt").c_str(), kDates, nullptr, names.data(), options, nullptr));
    GDALBuildVRTOptionsFree(options);

    EXPECT_EQ(info(quoted(dir_.file("a.vrt"))).at("dates"), kDates);
    expect_same_scores(scores(quoted(dir_.file("a.vrt"))), expected);
}

TEST_F(InputForms, TwoBandsADateAreOnePatch) {
    const std::string folder = stack(kDates, 2);
    const std::vector<float> both = scores("-b 1 -b 2 " + quoted(folder));
    const std::vector<float> first = scores("-b 1 " + quoted(folder));
    EXPECT_EQ(info("-b 1 -b 2 " + quoted(folder)).at("bands").size(), 2U);
    ASSERT_EQ(both.size(), first.size());
    std::size_t n_differ = 0;
    for (std::size_t i = 0; i < both.size(); ++i) n_differ += both[i] != first[i] && !std::isnan(both[i]);
    EXPECT_GT(n_differ, both.size() / 2);
    // The order of a patch's values means nothing to a distance, but for its rounding.
    const std::vector<float> turned = scores("-b 2 -b 1 " + quoted(folder));
    for (std::size_t i = 0; i < both.size(); ++i) {
        if (std::isnan(both[i])) continue;
        ASSERT_NEAR(turned[i], both[i], 1e-4 * both[i]) << i;
    }
}

TEST_F(InputForms, AnInternalMaskLeavesItsPixelsOut) {
    const std::string masked = stack(kDates) + "/" + scene_name(3);
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES");
    {
        const GDALDatasetUniquePtr file(GDALDataset::Open(masked.c_str(), GDAL_OF_UPDATE));
        ASSERT_EQ(file->CreateMaskBand(GMF_PER_DATASET), CE_None);
        std::vector<std::uint8_t> mask(12 * 16, 255);
        mask[5 * 16 + 7] = 0;
        GDALRasterBand* band = file->GetRasterBand(1)->GetMaskBand();
        ASSERT_EQ(band->RasterIO(GF_Write, 0, 0, 16, 12, mask.data(), 16, 12, GDT_Byte, 0, 0, nullptr),
                  CE_None);
    }
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", nullptr);
    expect_done(lof(quoted(stack(0))));
    const Bands lof = read_bands(dir_.file("out/lof.vrt"));
    EXPECT_TRUE(std::isnan(lof.at(3, 5, 7)));
    EXPECT_TRUE(std::isnan(lof.at(3, 4, 8)));
    EXPECT_FALSE(std::isnan(lof.at(3, 5, 9)));
    EXPECT_FALSE(std::isnan(lof.at(2, 5, 7)));
}

TEST_F(InputForms, AnExternalMaskLeavesItsPixelsOutAndIsRecorded) {
    Bands mask{1, 12, 16, std::vector<float>(12 * 16, 1)};
    mask.values[5 * 16 + 7] = 0;
    const std::string path = dir_.file("mask.tif");
    write_bands(path, mask, GDT_Byte);
    const std::string arguments = "-mask " + quoted(path) + " " + quoted(stack(kDates));
    expect_done(lof(arguments));
    const Bands lof = read_bands(dir_.file("out/lof.vrt"));
    EXPECT_TRUE(std::isnan(lof.at(3, 5, 7)));
    EXPECT_FALSE(std::isnan(lof.at(3, 5, 9)));
    EXPECT_EQ(json_of(dir_.file("out/run.json")).at("scenes")[3].at("mask"), path);
    EXPECT_EQ(info(arguments).at("scenes")[3].at("mask"), path);

    const std::string kmeans = utility("rastertide_kmeans") + " -q -patch 3 -k 2 -o ";
    expect_done(kmeans + quoted(dir_.file("clusters")) + " " + arguments);
    const Bands labels = read_bands(dir_.file("clusters/labels.vrt"));
    EXPECT_EQ(labels.at(3, 5, 7), 0);
    EXPECT_GT(labels.at(3, 5, 9), 0);
    const CommandResult lazy = run(kmeans + quoted(dir_.file("lazy")) + " -lazy " + arguments);
    EXPECT_EQ(lazy.exit_code, 1);
    EXPECT_NE(lazy.output.find("-mask"), std::string::npos) << lazy.output;
}

TEST_F(InputForms, ScaleAndOffsetAreApplied) {
    // Powers of two, so that the scaled values are exact.
    const std::string plain = stack(kDates);
    const std::string packed = dir_.file("packed");
    fs::create_directories(packed);
    for (int date = 0; date < kDates; ++date) {
        Bands bands = scene(date);
        write_bands(packed + "/" + scene_name(date), bands, GDT_Int16);
        const GDALDatasetUniquePtr file(
            GDALDataset::Open((packed + "/" + scene_name(date)).c_str(), GDAL_OF_UPDATE));
        file->GetRasterBand(1)->SetScale(date % 2 == 0 ? 0.25 : 0.5);
        file->GetRasterBand(1)->SetOffset(-8);
        for (float& value : bands.values) value = value * (date % 2 == 0 ? 0.25F : 0.5F) - 8;
        write_bands(plain + "/" + scene_name(date), bands);
    }
    expect_same_scores(scores(quoted(packed)), scores(quoted(plain)));
}

TEST_F(Inputs, InfoPlansTheTilesThatTheUserNames) {
    EXPECT_EQ(info("-patch 3 -tile 16 4 " + quoted(stack(12))).at("lof").at("tile"), nlohmann::json({16, 4}));
    EXPECT_EQ(run(utility("rastertide_info") + " -tile 0 4 x.tif").exit_code, 2);
}

TEST_F(Inputs, InfoWritesJsonOfNamesThatAreNotUtf8) {
    const std::string folder = stack(12);
    fs::rename(folder + "/" + scene_name(0), folder + "/\xff" + scene_name(0));
    const nlohmann::json stack = info(quoted(folder));
    EXPECT_NE(stack.at("scenes")[0].at("name").get<std::string>().find("\xef\xbf\xbd"), std::string::npos);
}

TEST_F(Inputs, InfoSaysThatGroundControlPointsNeedWarping) {
    const std::string path = dir_.file("a.tif");
    write_bands(path, scene(0, 12));
    {
        const GDALDatasetUniquePtr file(GDALDataset::Open(path.c_str(), GDAL_OF_UPDATE));
        std::string empty;
        GDAL_GCP points[3] = {};
        for (int i = 0; i < 3; ++i) {
            const double col = i == 1 ? 16 : 0, row = i == 2 ? 12 : 0;
            points[i] = {empty.data(), empty.data(), col, row, 480000 + 10 * col, 5990000 - 10 * row, 0};
        }
        ASSERT_EQ(file->SetGCPs(3, points, file->GetSpatialRef()), CE_None);
    }
    const nlohmann::json problems = info(quoted(path)).at("problems");
    EXPECT_EQ(problems[0], "has ground control points: warp it first (gdalwarp)");
}

}  // namespace
}  // namespace rastertide
