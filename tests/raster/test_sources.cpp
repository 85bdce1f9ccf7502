// SPDX-License-Identifier: Apache-2.0
// What open_series reads from rasters of every kind: validity, types, masks, files and folders.
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/open_series.hpp>

#include "support/rasters.hpp"
#include "support/series.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::Bands;
using testing_support::dates_of;
using testing_support::error_of;
using testing_support::expect_pixels;
using testing_support::kNan;
using testing_support::of;
using testing_support::pixels_of;
using testing_support::TempDir;
using testing_support::write_bands;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Sources : public testing::Test {
  protected:
    /// Opens a file that write_bands() has made, to change it.
    static GDALDatasetUniquePtr update(const std::string& path) {
        return GDALDatasetUniquePtr(GDALDataset::Open(path.c_str(), GDAL_OF_UPDATE));
    }

    TempDir dir_;
};

TEST_F(Sources, AnInfiniteNodataValueLeavesTheOtherPixelsValid) {
    const std::string path = dir_.file("a.tif");
    write_bands(path, {1, 1, 3, {1, 2, -std::numeric_limits<float>::infinity()}});
    for (const double nodata : {kInfinity, -kInfinity}) {
        update(path)->GetRasterBand(1)->SetNoDataValue(nodata);
        expect_pixels(pixels_of(of({path})), {1, 2, kNan});
    }
}

TEST_F(Sources, AnAlphaBandOfAnyTypeIsTheMask) {
    for (const GDALDataType type : {GDT_Byte, GDT_UInt16, GDT_Float32}) {
        const std::string path = dir_.file(std::string(GDALGetDataTypeName(type)) + ".tif");
        write_bands(path, {2, 1, 3, {5, 6, 7, 1, 0, 1}}, type);
        update(path)->GetRasterBand(2)->SetColorInterpretation(GCI_AlphaBand);
        expect_pixels(pixels_of(of({path})), {5, kNan, 7});
    }
}

TEST_F(Sources, AFractionOfAnAlphaIsValid) {
    const std::string path = dir_.file("a.tif");
    write_bands(path, {2, 1, 3, {5, 6, 7, 0.25F, 0, 1}});
    update(path)->GetRasterBand(2)->SetColorInterpretation(GCI_AlphaBand);
    expect_pixels(pixels_of(of({path})), {5, kNan, 7});
}

TEST_F(Sources, HugeValuesAreAnErrorThatAsksForNodata) {
    for (const GDALDataType type : {GDT_Float32, GDT_Float64}) {
        const std::string path = dir_.file(std::string(GDALGetDataTypeName(type)) + ".tif");
        write_bands(path, {1, 1, 3, {1, 2, -3.4028235e38F}}, type);
        try {
            pixels_of(of({path}));
            FAIL() << "no error";
        } catch (const InvalidArgument& error) {
            EXPECT_EQ(std::string(error.what()),
                      "'" + path +
                          "', band 1: pixel value -3.4028235e+38 is out of range, expected at most 1e17 in "
                          "magnitude; is it a nodata value? give it with -srcnodata");
        }
        SeriesOptions options = of({path});
        options.srcnodata = -3.4028234663852886e38;
        expect_pixels(pixels_of(options), {1, 2, kNan});
    }
}

TEST_F(Sources, HugeValuesUnderAMaskAreNone) {
    const std::string path = dir_.file("a.tif");
    write_bands(path, {2, 1, 2, {1, -3e38F, 1, 0}});
    update(path)->GetRasterBand(2)->SetColorInterpretation(GCI_AlphaBand);
    expect_pixels(pixels_of(of({path})), {1, kNan});
}

TEST_F(Sources, AScaleThatLeavesFloat32IsAnError) {
    const std::string path = dir_.file("a.tif");
    write_bands(path, {1, 1, 2, {1, 2}}, GDT_Int16);
    update(path)->GetRasterBand(1)->SetScale(1e300);
    EXPECT_THROW(pixels_of(of({path})), InvalidArgument);
}

/// Files of netCDF's classic format, which is not HDF5: a variable for each band.
class NetCdf3 : public Sources {
  protected:
    void SetUp() override {
        GDALAllRegister();
        if (GetGDALDriverManager()->GetDriverByName("netCDF") == nullptr) GTEST_SKIP() << "no netCDF driver";
    }

    std::string write(const Bands& bands) const {
        write_bands(dir_.file("a.tif"), bands);
        const GDALDatasetUniquePtr source(GDALDataset::Open(dir_.file("a.tif").c_str()));
        const char* options[] = {"FORMAT=NC", nullptr};
        GDALDriver* driver = GetGDALDriverManager()->GetDriverByName("netCDF");
        const GDALDatasetUniquePtr copy(driver->CreateCopy(dir_.file("a.nc").c_str(), source.get(), FALSE,
                                                           const_cast<char**>(options), nullptr, nullptr));
        EXPECT_NE(copy, nullptr);
        return dir_.file("a.nc");
    }
};

TEST_F(NetCdf3, DatasetChoosesAVariable) {
    SeriesOptions options = of({write({2, 2, 2, {1, 1, 2, 2, 3, 3, 4, 4}})});
    options.dataset = {"Band2"};
    expect_pixels(pixels_of(options), {3, 3, 4, 4});
    options.dataset = {"/Band1"};
    expect_pixels(pixels_of(options), {1, 1, 2, 2});
}

TEST_F(NetCdf3, SeveralDatasetsAreTheBandsOfADate) {
    SeriesOptions options = of({write({2, 2, 2, {1, 1, 2, 2, 3, 3, 4, 4}})});
    options.dataset = {"Band2", "Band1"};
    expect_pixels(pixels_of(options), {3, 3, 4, 4, 1, 1, 2, 2});
    EXPECT_EQ(open_series(options).band_names(), (std::vector<std::string>{"Band2", "Band1"}));
}

TEST_F(NetCdf3, AnAbsentDatasetIsAnErrorThatListsThoseThatAreThere) {
    SeriesOptions options = of({write({2, 2, 2, {1, 1, 2, 2, 3, 3, 4, 4}})});
    options.dataset = {"sigma0"};
    EXPECT_EQ(error_of(options),
              "'" + dir_.file("a.nc") + "': has no dataset 'sigma0'; it has: Band1, Band2");
}

TEST_F(NetCdf3, WithoutADatasetTheSubdatasetsAreNamed) {
    EXPECT_NE(error_of(of({write({2, 2, 2, {1, 1, 2, 2, 3, 3, 4, 4}})})).find("NETCDF:"), std::string::npos);
}

TEST_F(NetCdf3, TheOnlyVariableCanBeNamed) {
    SeriesOptions options = of({write({1, 2, 2, {1, 1, 2, 2}})});
    options.dataset = {"Band1"};
    expect_pixels(pixels_of(options), {1, 1, 2, 2});
    options.dataset = {"Band2"};
    EXPECT_EQ(error_of(options), "'" + dir_.file("a.nc") + "': has no dataset 'Band2'; it has: Band1");
}

TEST_F(Sources, ARasterWithoutDatasetsHasNoneToChoose) {
    write_bands(dir_.file("a.tif"), {1, 1, 1, {5}});
    SeriesOptions options = of({dir_.file("a.tif")});
    options.dataset = {"sigma0"};
    EXPECT_EQ(error_of(options), "'" + dir_.file("a.tif") + "': has no dataset 'sigma0'; it has: none");
}

TEST_F(Sources, TheRastersAcquisitionIsNotThatOfItsBands) {
    const std::string path = dir_.file("a.tif");
    write_bands(path, {2, 1, 1, {5, 6}});
    {
        const GDALDatasetUniquePtr file = update(path);
        file->SetMetadataItem("ACQUISITIONDATETIME", "2021-06-07T00:00:00Z", "IMAGERY");
        file->GetRasterBand(1)->SetMetadataItem("DATE", "2020-01-01");
        file->GetRasterBand(2)->SetMetadataItem("DATE", "2020-01-02");
    }
    EXPECT_EQ(dates_of(of({path})), (std::vector<std::string>{"2020-01-01", "2020-01-02"}));
}

TEST_F(Sources, TheRastersAcquisitionIsThatOfAScene) {
    std::vector<std::string> paths;
    for (const std::string day : {"08", "07"}) {
        paths.push_back(dir_.file("processed_20220101_" + day + ".tif"));
        write_bands(paths.back(), {2, 1, 1, {5, 6}});
        update(paths.back())->SetMetadataItem("ACQUISITIONDATETIME", ("2021-06-" + day).c_str(), "IMAGERY");
    }
    SeriesOptions options = of(paths);
    options.bands = {1, 2};
    EXPECT_EQ(dates_of(options), (std::vector<std::string>{"2021-06-07", "2021-06-08"}));
}

TEST_F(Sources, ADateRegexReadsBandDescriptionsOfOneRaster) {
    const std::string path = dir_.file("a_20220101.tif");
    write_bands(path, {2, 1, 1, {5, 6}});
    SeriesOptions options = of({path});
    options.date_regex = "d([0-9]{8})";
    EXPECT_NE(error_of(options).find("band 1': -date_regex"), std::string::npos) << error_of(options);
    {
        const GDALDatasetUniquePtr file = update(path);
        file->GetRasterBand(1)->SetDescription("made 20230101, d20200105.x");
        file->GetRasterBand(2)->SetDescription("made 20230101, d20200104.x");
    }
    EXPECT_EQ(dates_of(options), (std::vector<std::string>{"2020-01-04", "2020-01-05"}));
}

TEST_F(Sources, ScenesAreOrderedByTheirDatesAndThoseOfOneDateStayInTheOrderGiven) {
    std::vector<std::string> paths;
    for (const char* name : {"c_20200103.tif", "b_20200102.tif", "a_20200102.tif", "d_20200101.tif"}) {
        paths.push_back(dir_.file(name));
        write_bands(paths.back(), {1, 1, 1, {static_cast<float>(paths.size())}});
    }
    std::vector<std::string> said;
    const RasterSeries series =
        open_series(of(paths), [&](LogLevel, const std::string& message) { said.push_back(message); });

    EXPECT_EQ(series.scenes()[1].name, paths[1]);
    EXPECT_EQ(series.scenes()[2].name, paths[2]);
    expect_pixels(pixels_of(of(paths)), {4, 2, 3, 1});
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0], "'" + paths[2] + "' and '" + paths[1] +
                           "' have one date, 2020-01-02: both are kept, in the order given");
}

TEST_F(Sources, ScenesWithoutDatesStayInTheOrderGiven) {
    write_bands(dir_.file("b.tif"), {1, 1, 1, {1}});
    write_bands(dir_.file("a.tif"), {1, 1, 1, {2}});
    const SeriesOptions options = of({dir_.file("b.tif"), dir_.file("a.tif")});
    EXPECT_EQ(dates_of(options), (std::vector<std::string>{"", ""}));
    expect_pixels(pixels_of(options), {1, 2});
}

/// Every pixel of every band another number.
Bands numbered(int n_bands, int n_rows, int n_cols) {
    Bands bands{n_bands, n_rows, n_cols, {}};
    for (int i = 0; i < n_bands * n_rows * n_cols; ++i) bands.values.push_back(static_cast<float>(i % 60000));
    return bands;
}

TEST_F(Sources, BandsThatShareTheirBlocksAreReadAsTheyAre) {
    const Bands bands = numbered(11, 70, 90);
    for (const GDALDataType type : {GDT_UInt16, GDT_Float32, GDT_Int32, GDT_Float64}) {
        const std::string path = dir_.file(std::string(GDALGetDataTypeName(type)) + ".tif");
        write_bands(path, bands, type, {"INTERLEAVE=PIXEL", "TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=32"});
        expect_pixels(pixels_of(of({path})), bands.values);
        SeriesOptions options = of({path});
        options.cache_bytes = 40 << 10;  // of a few bands' blocks only
        expect_pixels(pixels_of(options), bands.values);
        options.bands = {9, 2};
        std::vector<float> expected(bands.values.begin() + 8 * 6300, bands.values.begin() + 9 * 6300);
        expected.insert(expected.end(), bands.values.begin() + 6300, bands.values.begin() + 2 * 6300);
        expect_pixels(pixels_of(options), expected);
    }
}

TEST_F(Sources, BandsThatShareTheirBlocksKeepTheirMask) {
    for (const GDALDataType type : {GDT_UInt16, GDT_Int32}) {
        const std::string path = dir_.file(std::string(GDALGetDataTypeName(type)) + ".tif");
        write_bands(path, {3, 1, 2, {1, 2, 3, 4, 0, 1}}, type, {"INTERLEAVE=PIXEL"});
        update(path)->GetRasterBand(3)->SetColorInterpretation(GCI_AlphaBand);
        expect_pixels(pixels_of(of({path})), {kNan, 2, kNan, 4});
    }
}

TEST_F(Sources, WideValuesAreReadInPieces) {
    const Bands bands = numbered(2, 1500, 1000);  // 12 MB a band in double precision
    write_bands(dir_.file("a.tif"), bands, GDT_Int32);
    expect_pixels(pixels_of(of({dir_.file("a.tif")})), bands.values);
}

#ifndef __SANITIZE_ADDRESS__  // its heap keeps what was freed
TEST_F(Sources, ManyFilesOfWideValuesShareTheirMemory) {
    std::vector<std::string> paths;
    for (int i = 0; i < 40; ++i) {
        paths.push_back(dir_.file("s_" + std::to_string(20200101 + i % 28 + i / 28 * 100) + ".tif"));
        write_bands(paths.back(), numbered(1, 512, 512), GDT_Float64);  // 2 MB
    }
    SeriesOptions options = of(paths);
    options.cache_bytes = 4 << 20;
    RasterSeries series = open_series(options);
    std::vector<float> pixels(40 * 512 * 512, 1);
    const auto peak_kb = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
    };
    const long before = peak_kb();
    series.read(series.grid().extent(), pixels.data());
    EXPECT_LT(peak_kb() - before, 30 << 10);
}
#endif

TEST_F(Sources, OtherFilesOfAFolderAreLeftOut) {
    write_bands(dir_.file("s_20200101.tif"), {1, 1, 1, {5}});
    std::ofstream(dir_.file("readme.md")) << "about the scenes";
    std::ofstream(dir_.file("noextension")) << "";
    expect_pixels(pixels_of(of({dir_.path()})), {5});
}

TEST_F(Sources, FoldersOfGdalsFileSystemsAreFoldersToo) {
    const std::string zip = "/vsizip/" + dir_.file("scenes.zip");
    GDALAllRegister();
    for (const std::string name : {"scene_20200102.tif", "scene_20200101.tif"}) {
        write_bands(dir_.file(name), {1, 1, 2, {3, name == "scene_20200101.tif" ? 1.0F : 2.0F}});
        ASSERT_EQ(CPLCopyFile((zip + "/archive/" + name).c_str(), dir_.file(name).c_str()), 0);
    }
    expect_pixels(pixels_of(of({zip + "/archive"})), {3, 1, 3, 2});
    const std::string text = error_of(of({zip}));
    EXPECT_NE(text.find(zip + "': the folder holds no raster"), std::string::npos) << text;
}

TEST_F(Sources, AFolderOpensBeforeGdalIsUsedOtherwise) {
    write_bands(dir_.file("s_20200101.tif"), {1, 1, 1, {5}});
    GDALDestroyDriverManager();
    expect_pixels(pixels_of(of({dir_.path()})), {5});
}

TEST_F(Sources, TheUsersConfigurationOfGdalIsKept) {
    write_bands(dir_.file("a.tif"), {1, 1, 1, {5}});
    const GIntBig cache_bytes = GDALGetCacheMax64();
    CPLSetConfigOption("GDAL_CACHEMAX", "33");
    CPLSetConfigOption("GDAL_MAX_DATASET_POOL_SIZE", "7");
    GDALSetCacheMax64(33 << 20);
    open_series(of({dir_.file("a.tif")}));
    EXPECT_EQ(GDALGetCacheMax64(), 33 << 20);
    EXPECT_STREQ(CPLGetConfigOption("GDAL_MAX_DATASET_POOL_SIZE", ""), "7");
    CPLSetConfigOption("GDAL_CACHEMAX", nullptr);
    CPLSetConfigOption("GDAL_MAX_DATASET_POOL_SIZE", nullptr);
    GDALSetCacheMax64(cache_bytes);
}

}  // namespace
}  // namespace rastertide
