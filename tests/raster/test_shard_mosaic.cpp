// SPDX-License-Identifier: Apache-2.0
// Shards and the mosaics over them: what is written is what GDAL reads.
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>
#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/output_folder.hpp>
#include <rastertide/write/shard.hpp>
#include <rastertide/write/text_file.hpp>

#include "support/rasters.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::Bands;
using testing_support::read_bands;
using testing_support::TempDir;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Grid raster_grid() {
    return {50, 30, {{480000, 10, 0, 5990000, 0, -10}}, crs_from_user_input("EPSG:32632"), true};
}

std::vector<float> ramp(std::int64_t n_bands, const Grid& grid, float first) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < n_bands * grid.n_cols * grid.n_rows; ++i)
        values.push_back(first + static_cast<float>(i));
    return values;
}

class Shards : public testing::Test {
  protected:
    void SetUp() override { GDALAllRegister(); }
    TempDir dir_;
};

TEST_F(Shards, FloatsReadBackBitForBit) {
    const Grid grid = raster_grid().subset({16, 8, 17, 9});
    std::vector<float> written = ramp(3, grid, -4.25F);
    written[5] = kNaN;
    const ShardFormat format = {SampleType::Float32, kNaN, {}};

    write_shard(dir_.file("s.tif"), grid, 3, format, written.data());
    std::vector<float> read(written.size());
    read_shard(dir_.file("s.tif"), grid, 3, format, read.data());

    EXPECT_EQ(std::memcmp(read.data(), written.data(), written.size() * sizeof(float)), 0);
}

TEST_F(Shards, AnotherNodataValueStandsForNanInTheFileAlone) {
    const Grid grid = raster_grid().subset({16, 8, 17, 9});
    std::vector<float> written = ramp(3, grid, 1);
    written[5] = kNaN;
    const ShardFormat format = {SampleType::Float32, -9999, {}};

    write_shard(dir_.file("s.tif"), grid, 3, format, written.data());
    std::vector<float> read(written.size());
    read_shard(dir_.file("s.tif"), grid, 3, format, read.data());
    const Bands file = read_bands(dir_.file("s.tif"));

    EXPECT_EQ(std::memcmp(read.data(), written.data(), written.size() * sizeof(float)), 0);
    EXPECT_EQ(file.values[5], -9999);
    EXPECT_EQ(file.values.back(), written.back());
}

TEST_F(Shards, CarryGridAndNodata) {
    const Grid grid = raster_grid().subset({16, 8, 17, 9});
    const std::vector<std::uint16_t> values(17 * 9, 7);
    write_shard(dir_.file("s.tif"), grid, 1, {SampleType::UInt16, 65535, {}}, values.data());

    const GDALDatasetUniquePtr dataset(GDALDataset::Open(dir_.file("s.tif").c_str()));
    double coefficients[6];
    dataset->GetGeoTransform(coefficients);

    EXPECT_EQ(coefficients[0], 480160);
    EXPECT_EQ(coefficients[3], 5989920);
    EXPECT_EQ(dataset->GetRasterBand(1)->GetRasterDataType(), GDT_UInt16);
    EXPECT_EQ(dataset->GetRasterBand(1)->GetNoDataValue(), 65535);
    EXPECT_EQ(std::string(dataset->GetSpatialRef()->GetAuthorityCode(nullptr)), "32632");
}

TEST_F(Shards, AnotherSizeThanTheTilesIsAnError) {
    const Grid grid = raster_grid().subset({0, 0, 8, 8});
    const std::vector<float> values(64, 1);
    write_shard(dir_.file("s.tif"), grid, 1, {SampleType::Float32, kNaN, {}}, values.data());
    std::vector<float> read(128);

    const ShardFormat format = {SampleType::Float32, kNaN, {}};
    EXPECT_THROW(read_shard(dir_.file("s.tif"), grid, 2, format, read.data()), IoError);
    EXPECT_THROW(read_shard(dir_.file("absent.tif"), grid, 1, format, read.data()), IoError);
}

TEST_F(Shards, AFailedWriteLeavesNothing) {
    const std::vector<float> values(64, 1);

    EXPECT_THROW(write_shard(dir_.file("absent/s.tif"), raster_grid().subset({0, 0, 8, 8}), 1,
                             {SampleType::Float32, kNaN, {}}, values.data()),
                 IoError);
    EXPECT_TRUE(fs::is_empty(dir_.path()));
}

class Mosaics : public Shards {
  protected:
    /// Two shards side by side, and a mosaic over them.
    void write(std::vector<std::string> categories = {}) {
        const Window left = {0, 0, 32, 30}, right = {32, 0, 18, 30};
        for (const Window& window : {left, right}) {
            const Grid grid = raster_grid().subset(window);
            write_shard(dir_.file("s" + std::to_string(window.col) + ".tif"), grid, 2,
                        {SampleType::Float32, kNaN, {}},
                        ramp(2, grid, static_cast<float>(1000 * window.col)).data());
        }
        Product product;
        product.name = "lof";
        product.nodata = kNaN;
        product.bands = {{"2020-01-01", {{"DATE", "2020-01-01"}}},
                         {"a < b & \"c\"", {{"DATE", "2020-01-13"}}}};
        product.metadata = {{"SOFTWARE", "Rastertide"}};
        product.categories = std::move(categories);
        write_mosaic(dir_.file("lof.vrt"), raster_grid(), product, {{"s0.tif", left}, {"s32.tif", right}});
    }
};

TEST_F(Mosaics, AreOneRaster) {
    write();

    const auto bands = read_bands(dir_.file("lof.vrt"));

    EXPECT_EQ(bands.n_bands, 2);
    EXPECT_EQ(bands.at(0, 1, 2), 34);
    EXPECT_EQ(bands.at(0, 0, 33), 32001);
    EXPECT_EQ(bands.at(1, 0, 32), 32000 + 18 * 30);
}

TEST_F(Mosaics, CarryGridDatesAndDescriptions) {
    write();

    const GDALDatasetUniquePtr dataset(GDALDataset::Open(dir_.file("lof.vrt").c_str()));
    double coefficients[6];
    dataset->GetGeoTransform(coefficients);

    EXPECT_EQ(coefficients[1], 10);
    EXPECT_EQ(std::string(dataset->GetSpatialRef()->GetAuthorityCode(nullptr)), "32632");
    EXPECT_EQ(std::string(dataset->GetRasterBand(2)->GetDescription()), "a < b & \"c\"");
    EXPECT_EQ(std::string(dataset->GetRasterBand(2)->GetMetadataItem("DATE")), "2020-01-13");
    EXPECT_TRUE(std::isnan(dataset->GetRasterBand(1)->GetNoDataValue()));
}

TEST_F(Mosaics, MoveWithTheirShards) {
    const TempDir elsewhere;
    write();
    for (const char* name : {"lof.vrt", "s0.tif", "s32.tif"}) fs::copy(dir_.file(name), elsewhere.file(name));
    for (const char* name : {"s0.tif", "s32.tif"}) fs::remove(dir_.file(name));

    EXPECT_EQ(read_bands(elsewhere.file("lof.vrt")).at(0, 0, 33), 32001);
}

TEST_F(Mosaics, CopiesKeepPixelsAndHaveExactStatistics) {
    write();

    copy_raster(dir_.file("lof.vrt"), dir_.file("lof.tif"), "GTiff", {"COMPRESS=DEFLATE"}, false);
    copy_raster(dir_.file("lof.tif"), dir_.file("cog.tif"), "COG", {"STATISTICS=YES"}, true);

    const auto expected = read_bands(dir_.file("lof.vrt"));
    EXPECT_EQ(read_bands(dir_.file("cog.tif")).values, expected.values);
    const GDALDatasetUniquePtr dataset(GDALDataset::Open(dir_.file("cog.tif").c_str()));
    double sum = 0;
    for (int i = 0; i < 50 * 30; ++i) sum += expected.values[static_cast<std::size_t>(i)];
    EXPECT_NEAR(std::stod(dataset->GetRasterBand(1)->GetMetadataItem("STATISTICS_MEAN")), sum / 1500, 1e-6);
}

TEST_F(Mosaics, FormatsThatGdalCannotWriteAreRefused) {
    EXPECT_EQ(format_extension("COG"), "tif");
    EXPECT_THROW(format_extension("NoSuchFormat"), InvalidArgument);
}

TEST(OutputFolders, OverwritingRemovesARunAndKeepsOtherFiles) {
    const TempDir dir;
    const std::string path = dir.file("out");
    OutputFolder::make(path, std::nullopt).make_product("lof");
    const OutputFolder folder(path);
    for (const char* name : {"run.json", "lof.vrt", "per_date.csv", "notes.txt", "run.sh", "lof.txt",
                             "tiles/mine.txt", "tiles/lof/t_0000_0000.tif"}) {
        write_text_file(folder.file(name), "x");
    }

    EXPECT_THROW(OutputFolder::make(path, std::nullopt), InvalidArgument);
    {
        const OutputFolder at_work = OutputFolder::resume(path);
        EXPECT_TRUE(at_work.is_locked());
        EXPECT_THROW(OutputFolder::resume(path), IoError);
        EXPECT_THROW(OutputFolder::make(path, OutputFolder::Contents{{"run.json"}, {"lof"}}), IoError);
    }
    EXPECT_FALSE(fs::exists(folder.file("run.lock")));
    OutputFolder::make(path, OutputFolder::Contents{{"lof.vrt", "per_date.csv", "run.json"}, {"lof"}});

    EXPECT_FALSE(fs::exists(folder.file("run.json")));
    EXPECT_FALSE(fs::exists(folder.file("lof.vrt")));
    EXPECT_FALSE(fs::exists(folder.file("tiles/lof")));
    for (const char* name : {"notes.txt", "run.sh", "lof.txt", "tiles/mine.txt"}) {
        EXPECT_EQ(read_text_file(folder.file(name)), "x") << name;
    }
}

TEST(OutputFolders, AFolderOfAnotherKindIsNeverTaken) {
    const TempDir dir;
    write_text_file(dir.file("thesis.txt"), "mine");

    EXPECT_THROW(OutputFolder::make(dir.path(), OutputFolder::Contents{{"thesis.txt"}, {}}), InvalidArgument);
    EXPECT_EQ(read_text_file(dir.file("thesis.txt")), "mine");
}

}  // namespace
}  // namespace rastertide
