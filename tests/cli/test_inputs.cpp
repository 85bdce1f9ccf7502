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

    TempDir dir_;
};

TEST_F(Inputs, MoreScenesThanAProcessMayOpenFiles) {
    expect_done("ulimit -Sn 128 && " + lof(quoted(stack(200))));
}

}  // namespace
}  // namespace rastertide
