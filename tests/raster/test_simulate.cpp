// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gdal.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <rastertide/core/error.hpp>
#include <rastertide/pipeline/run_simulate.hpp>
#include <rastertide/read/crs.hpp>
#include <rastertide/write/text_file.hpp>

#include "support/rasters.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::TempDir;

std::vector<float> read(const std::string& name) { return testing_support::read_bands(name).values; }

/// The stack of a folder, dates in order.
std::vector<float> read_folder(const std::string& folder) {
    std::vector<std::string> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<float> stack;
    for (const std::string& file : files) {
        const std::vector<float> scene = read(file);
        stack.insert(stack.end(), scene.begin(), scene.end());
    }
    return stack;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

SimulateOptions small_options(const std::string& output) {
    SimulateOptions options;
    options.output = output;
    options.n_dates = 12;
    options.n_rows = 150;
    options.n_cols = 140;
    options.seed = 3;
    options.n_threads = 2;
    options.nodata_fraction = 0.25;
    return options;
}

std::int64_t count_of(const std::vector<float>& values, float value) {
    return std::count(values.begin(), values.end(), value);
}

TEST(Simulate, FolderHoldsScenesAndTruthLiesBesideIt) {
    const TempDir folder;

    run_simulate(small_options(folder.file("stack")));

    EXPECT_EQ(std::distance(fs::directory_iterator(folder.file("stack")), {}), 12);
    EXPECT_TRUE(fs::exists(folder.file("stack/sim_20190103.tif")));
    EXPECT_TRUE(fs::exists(folder.file("stack/sim_20190310.tif")));
    EXPECT_TRUE(fs::exists(folder.file("stack_truth.tif")));
    EXPECT_TRUE(fs::exists(folder.file("stack_truth.json")));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 3);
    const GDALDatasetUniquePtr scene(GDALDataset::Open(folder.file("stack/sim_20190103.tif").c_str()));
    EXPECT_EQ(crs_name(scene->GetProjectionRef()), "WGS 84 / UTM zone 32N (EPSG:32632)");
}

TEST(Simulate, TruthIsNodataWhereTheStackIs) {
    const TempDir folder;

    run_simulate(small_options(folder.file("stack")));
    const std::vector<float> values = read_folder(folder.file("stack"));
    const std::vector<float> truth = read(folder.file("stack_truth.tif"));

    ASSERT_EQ(values.size(), 12U * 150 * 140);
    ASSERT_EQ(truth.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(std::isnan(values[i]), truth[i] == 255) << "value " << i;
    }
    EXPECT_GT(count_of(truth, 255), 0);
}

TEST(Simulate, SameValuesFromAnyMemoryLimitAndThreadCount) {
    const TempDir folder;
    SimulateOptions little = small_options(folder.file("little"));
    little.memory_limit_bytes = std::int64_t{97} << 20;  // tiles smaller than the chunks
    little.n_threads = 1;
    SimulateOptions much = small_options(folder.file("much"));
    std::string little_tiles;
    std::string much_tiles;

    run_simulate(little, [&](LogLevel, const std::string& message) { little_tiles = message; });
    run_simulate(much, [&](LogLevel, const std::string& message) { much_tiles = message; });

    EXPECT_NE(little_tiles, much_tiles);  // the plans do differ
    EXPECT_TRUE(same_bits(read_folder(folder.file("little")), read_folder(folder.file("much"))));
    EXPECT_TRUE(same_bits(read(folder.file("little_truth.tif")), read(folder.file("much_truth.tif"))));
    EXPECT_EQ(read_text_file(folder.file("little_truth.json")),
              read_text_file(folder.file("much_truth.json")));
}

TEST(Simulate, Hdf5AndGeotiffHoldTheSameStack) {
    const TempDir folder;
    GDALAllRegister();
    if (GDALGetDriverByName("netCDF") == nullptr) GTEST_SKIP() << "this GDAL has no netCDF driver";
    try {
        run_simulate(small_options(folder.file("a.h5")));
    } catch (const BackendUnavailable& error) {
        GTEST_SKIP() << error.what();
    }
    run_simulate(small_options(folder.file("b")));

    EXPECT_TRUE(
        same_bits(read("NETCDF:\"" + folder.file("a.h5") + "\":data"), read_folder(folder.file("b"))));
    EXPECT_TRUE(same_bits(read(folder.file("a_truth.tif")), read(folder.file("b_truth.tif"))));
}

TEST(Simulate, TruthListsEveryEvent) {
    const TempDir folder;
    SimulateOptions options = small_options(folder.file("stack"));
    options.nodata_fraction = 0;

    run_simulate(options);
    const auto json = nlohmann::json::parse(read_text_file(folder.file("stack_truth.json")));
    const std::vector<float> truth = read(folder.file("stack_truth.tif"));

    EXPECT_EQ(json["seed"], 3);
    EXPECT_EQ(json["n_dates"], 12);
    EXPECT_EQ(json["counts"]["ship"], 150 * 140 / 400);
    EXPECT_EQ(json["counts"]["storm"], 1);
    EXPECT_EQ(json["counts"]["change"], 150 * 140 / 2000);
    EXPECT_EQ(json["events"].size(), 52U + 1 + 10);
    for (const auto& event : json["events"]) {
        const std::size_t row = event["row"];
        const std::size_t col = event["col"];
        const std::size_t n_rows = event["n_rows"];
        const std::size_t n_cols = event["n_cols"];
        for (std::size_t date = event["first_index"]; date <= event["last_index"]; ++date) {
            bool marked = false;
            for (std::size_t i = 0; i < n_rows * n_cols; ++i) {
                const std::size_t pixel = (row + i / n_cols) * 140 + col + i % n_cols;
                marked = marked || truth[date * 150 * 140 + pixel] == event["value"];
            }
            EXPECT_TRUE(marked) << event;
        }
    }
}

TEST(Simulate, ExistingOutputIsAnErrorWithoutOverwrite) {
    const TempDir folder;
    SimulateOptions options = small_options(folder.file("stack"));
    run_simulate(options);
    const std::vector<float> first = read_folder(folder.file("stack"));

    options.seed = 4;
    EXPECT_THROW(run_simulate(options), IoError);
    EXPECT_TRUE(same_bits(read_folder(folder.file("stack")), first));

    options.overwrite = true;
    run_simulate(options);
    EXPECT_FALSE(same_bits(read_folder(folder.file("stack")), first));
}

TEST(Simulate, FailedRunLeavesNothing) {
    const TempDir folder;
    SimulateOptions options = small_options(folder.file("stack"));

    EXPECT_THROW(run_simulate(options, {}, [](double) { throw IoError("stopped"); }), IoError);

    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Simulate, ProgressRisesToOne) {
    const TempDir folder;
    std::vector<double> fractions;

    run_simulate(small_options(folder.file("stack")), {}, [&](double done) { fractions.push_back(done); });

    EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
    EXPECT_EQ(fractions.back(), 1.0);
}

TEST(Simulate, BadOptionsAreNamed) {
    const TempDir folder;
    const auto message_of = [&](auto change) -> std::string {
        SimulateOptions options = small_options(folder.file("stack"));
        change(options);
        try {
            run_simulate(options);
        } catch (const InvalidArgument& error) {
            return error.what();
        }
        return "(no InvalidArgument)";
    };

    EXPECT_EQ(message_of([](auto& o) { o.n_dates = 0; }), "-n_dates 0: expected 1 to 65535");
    EXPECT_EQ(message_of([](auto& o) { o.n_rows = 7; }), "-outsize, rows: 7: expected 8 to 2147483647");
    EXPECT_NE(message_of([](auto& o) { o.looks = 0; }).find("looks"), std::string::npos);
    EXPECT_NE(message_of([](auto& o) { o.nodata_fraction = NAN; }).find("-nodata_fraction"),
              std::string::npos);
    EXPECT_NE(message_of([](auto& o) { o.memory_limit_bytes = 1 << 20; }).find("-mem 1 MB"),
              std::string::npos);
    EXPECT_NE(
        message_of([](auto& o) { o.output += ".h5", o.creation_options = {"COMPRESS=LZW"}; }).find("-co"),
        std::string::npos);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace rastertide
