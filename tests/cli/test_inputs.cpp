// SPDX-License-Identifier: Apache-2.0
// The forms that a stack can have, through the utilities.
#include <cstdio>
#include <filesystem>
#include <string>

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

    /// What rastertide_info says about a stack.
    static nlohmann::json info(const std::string& arguments) {
        const CommandResult result = run(utility("rastertide_info") + " -json " + arguments);
        EXPECT_EQ(result.exit_code, 0) << result.output;
        return nlohmann::json::parse(result.output, nullptr, false);
    }

    TempDir dir_;
};

TEST_F(Inputs, MoreScenesThanAProcessMayOpenFiles) {
    expect_done("ulimit -Sn 128 && " + lof(quoted(stack(200))));
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
