// SPDX-License-Identifier: Apache-2.0
// Which pixels are valid: GDAL's masks, nodata values of each band and type, and -mask.
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/rasters.hpp"
#include "support/series.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::Bands;
using testing_support::error_of;
using testing_support::expect_pixels;
using testing_support::kNan;
using testing_support::of;
using testing_support::pixels_of;
using testing_support::TempDir;
using testing_support::write_bands;

class Masks : public testing::Test {
  protected:
    std::string write(const std::string& name, const Bands& bands, GDALDataType type = GDT_Float32,
                      const std::vector<std::string>& creation_options = {}) const {
        write_bands(dir_.file(name), bands, type, creation_options);
        return dir_.file(name);
    }

    static GDALDatasetUniquePtr update(const std::string& path) {
        return GDALDatasetUniquePtr(GDALDataset::Open(path.c_str(), GDAL_OF_UPDATE));
    }

    TempDir dir_;
};

TEST_F(Masks, AMskFileBesideARasterIsItsMask) {
    const std::string path = write("a.tif", {1, 1, 3, {1, 2, 3}}, GDT_UInt16);
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", "NO");
    {
        const GDALDatasetUniquePtr file = update(path);
        ASSERT_EQ(file->CreateMaskBand(GMF_PER_DATASET), CE_None);
        std::vector<std::uint8_t> mask = {255, 0, 1};
        ASSERT_EQ(file->GetRasterBand(1)->GetMaskBand()->RasterIO(GF_Write, 0, 0, 3, 1, mask.data(), 3, 1,
                                                                  GDT_Byte, 0, 0, nullptr),
                  CE_None);
    }
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", nullptr);
    ASSERT_TRUE(fs::exists(path + ".msk"));
    expect_pixels(pixels_of(of({path})), {1, kNan, 3});
    expect_pixels(pixels_of(of({dir_.path()})), {1, kNan, 3});  // and no scene of its own
}

TEST_F(Masks, EveryBandHasItsOwnNodataValue) {
    write("a.tif", {1, 1, 3, {7, 8, 9}}, GDT_Int16);
    write("b.tif", {1, 1, 3, {7, 8, 9}}, GDT_Int16);
    update(dir_.file("a.tif"))->GetRasterBand(1)->SetNoDataValue(7);
    update(dir_.file("b.tif"))->GetRasterBand(1)->SetNoDataValue(9);
    GDALDriver* driver = GetGDALDriverManager()->GetDriverByName("VRT");
    {
        const GDALDatasetUniquePtr source(GDALDataset::Open(dir_.file("a.tif").c_str()));
        const GDALDatasetUniquePtr vrt(
            driver->CreateCopy(dir_.file("c.vrt").c_str(), source.get(), FALSE, nullptr, nullptr, nullptr));
        ASSERT_EQ(vrt->AddBand(GDT_Int16), CE_None);
        const std::string xml = "<SimpleSource><SourceFilename>" + dir_.file("b.tif") +
                                "</SourceFilename><SourceBand>1</SourceBand></SimpleSource>";
        vrt->GetRasterBand(2)->SetMetadataItem("source_0", xml.c_str(), "new_vrt_sources");
        vrt->GetRasterBand(2)->SetNoDataValue(9);
    }
    expect_pixels(pixels_of(of({dir_.file("c.vrt")})), {kNan, 8, 9, 7, 8, kNan});
    expect_pixels(pixels_of(of({dir_.file("a.tif"), dir_.file("b.tif")})), {kNan, 8, 9, 7, 8, kNan});
}

struct NodataCase {
    GDALDataType type;
    double nodata;
    double beside;  ///< a valid value next to it
};

class IntegerNodata : public Masks, public testing::WithParamInterface<NodataCase> {};

TEST_P(IntegerNodata, IsExact) {
    const NodataCase& value = GetParam();
    const std::string path = write("a.tif", {1, 1, 3, {1, 2, 3}}, value.type);
    {
        const GDALDatasetUniquePtr file = update(path);
        GDALRasterBand* band = file->GetRasterBand(1);
        if (value.type == GDT_Int64) {
            band->SetNoDataValueAsInt64(static_cast<std::int64_t>(value.nodata));
        } else if (value.type == GDT_UInt64) {
            band->SetNoDataValueAsUInt64(static_cast<std::uint64_t>(value.nodata));
        } else {
            band->SetNoDataValue(value.nodata);
        }
        std::vector<double> pixels = {5, value.nodata, value.beside};
        ASSERT_EQ(band->RasterIO(GF_Write, 0, 0, 3, 1, pixels.data(), 3, 1, GDT_Float64, 0, 0, nullptr),
                  CE_None);
    }
    const std::vector<float> expected = {5, kNan, static_cast<float>(value.beside)};
    expect_pixels(pixels_of(of({path})), expected);
    EXPECT_EQ(open_series(of({path})).source_nodata(), value.nodata);
}

INSTANTIATE_TEST_SUITE_P(Types, IntegerNodata,
                         testing::Values(NodataCase{GDT_Byte, 255, 254}, NodataCase{GDT_UInt16, 65535, 65534},
                                         NodataCase{GDT_Int16, -32768, -32767},
                                         NodataCase{GDT_UInt32, 4294967295.0, 4294967294.0},
                                         NodataCase{GDT_Int32, -2147483648.0, -2147483647.0},
                                         // Pixels of 64 bits are read as doubles, and written with 0.5 added.
                                         NodataCase{GDT_Int64, -4503599627370494.0, -4503599627370493.0},
                                         NodataCase{GDT_UInt64, 4503599627370494.0, 4503599627370493.0}),
                         [](const auto& param_info) {
                             return std::string(GDALGetDataTypeName(param_info.param.type));
                         });

/// Two scenes of 1 x 3 pixels, 2020-01-01 and 2020-01-02, and masks.
class ExternalMasks : public Masks {
  protected:
    void SetUp() override {
        options_ = of(
            {write("s_20200102.tif", {1, 1, 3, {4, 5, 6}}), write("s_20200101.tif", {1, 1, 3, {1, 2, 3}})});
    }

    std::vector<float> masked(const std::vector<std::string>& masks) {
        options_.mask = masks;
        return pixels_of(options_);
    }
    std::string error(const std::vector<std::string>& masks) {
        options_.mask = masks;
        return error_of(options_);
    }

    SeriesOptions options_;
};

TEST_F(ExternalMasks, OneBandIsForAllDates) {
    expect_pixels(masked({write("m.tif", {1, 1, 3, {0, 1, 255}}, GDT_Byte)}), {kNan, 2, 3, kNan, 5, 6});
    EXPECT_EQ(open_series(options_).scenes()[1].mask, dir_.file("m.tif"));
}

TEST_F(ExternalMasks, ZeroNodataAndNanAreInvalidAnythingElseIsValid) {
    expect_pixels(masked({write("m.tif", {1, 1, 3, {kNan, -1, 0.25F}})}), {kNan, 2, 3, kNan, 5, 6});
    update(dir_.file("m.tif"))->GetRasterBand(1)->SetNoDataValue(-1);
    expect_pixels(masked({dir_.file("m.tif")}), {kNan, kNan, 3, kNan, kNan, 6});
}

TEST_F(ExternalMasks, ABandADateIsInDateOrder) {
    expect_pixels(masked({write("m.tif", {2, 1, 3, {0, 1, 1, 1, 1, 0}}, GDT_Byte)}),
                  {kNan, 2, 3, 4, 5, kNan});
    EXPECT_EQ(open_series(options_).scenes()[1].mask, dir_.file("m.tif") + ", band 2");
}

TEST_F(ExternalMasks, AFileADateIsInTheOrderGivenOrOfTheirDates) {
    const std::string first = write("first.tif", {1, 1, 3, {0, 1, 1}}, GDT_Byte);
    const std::string second = write("second.tif", {1, 1, 3, {1, 1, 0}}, GDT_Byte);
    expect_pixels(masked({first, second}), {kNan, 2, 3, 4, 5, kNan});
    expect_pixels(masked({second, first}), {1, 2, kNan, kNan, 5, 6});
    fs::create_directories(dir_.file("masks"));
    fs::rename(first, dir_.file("masks/z_20200101.tif"));
    fs::rename(second, dir_.file("masks/a_20200102.tif"));
    expect_pixels(masked({dir_.file("masks")}), {kNan, 2, 3, 4, 5, kNan});
}

TEST_F(ExternalMasks, CountAllScenesThatTheDateRangeIsChosenFrom) {
    write("m.tif", {2, 1, 3, {0, 1, 1, 1, 1, 0}}, GDT_Byte);
    options_.start_date = parse_date("2020-01-02");
    expect_pixels(masked({dir_.file("m.tif")}), {4, 5, kNan});
}

TEST_F(ExternalMasks, HoldForAllBandsOfAPatchAndBeforeDecibels) {
    options_ = of({write("s_20200101.tif", {2, 1, 3, {1, 10, 100, 10, 100, 1}})});
    options_.inputs.push_back(write("s_20200102.tif", {2, 1, 3, {1, 10, 100, 10, 100, 1}}));
    options_.bands = {1, 2};
    options_.scale = PixelScale::Db;
    expect_pixels(masked({write("m.tif", {2, 1, 3, {0, 1, 1, 1, 1, 0}}, GDT_Byte)}),
                  {kNan, 10, 20, kNan, 20, 0, 0, 10, kNan, 10, 20, kNan});
}

TEST_F(ExternalMasks, AreReadInPiecesOfTheirBlocks) {
    constexpr int kRows = 1100, kCols = 1300;
    Bands bands{2, kRows, kCols, {}};
    Bands mask = bands;
    std::vector<float> expected;
    for (int i = 0; i < 2 * kRows * kCols; ++i) {
        const bool valid = i % 7 != 0;
        bands.values.push_back(static_cast<float>(i % 1000));
        mask.values.push_back(valid ? 1 : 0);
        expected.push_back(valid ? bands.values.back() : kNan);
    }
    for (const char* layout : {"TILED=YES", "TILED=NO"}) {
        options_ = of({write("a.tif", bands)});
        options_.mask = {write("m.tif", mask, GDT_Byte, {layout})};
        std::vector<float> found = pixels_of(options_);
        ASSERT_EQ(found.size(), expected.size());
        std::size_t n_differ = 0;
        for (std::size_t i = 0; i < found.size(); ++i)
            n_differ += !(found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i])));
        EXPECT_EQ(n_differ, 0U);
        RasterSeries series = open_series(options_);
        const Window window = {1001, 257, 3, 2};
        found.resize(12);
        series.read(window, found.data());
        for (int i = 0; i < 12; ++i) {
            const int at = i / 6 * kRows * kCols + (257 + i / 3 % 2) * kCols + 1001 + i % 3;
            EXPECT_EQ(std::isnan(found[static_cast<std::size_t>(i)]), at % 7 == 0) << i;
        }
    }
}

TEST_F(ExternalMasks, FollowTheStackIntoAWindow) {
    SeriesOptions options = of({write("w.tif", {1, 2, 3, {1, 2, 3, 4, 5, 6}})});
    options.mask = {write("wm.tif", {1, 2, 3, {1, 0, 1, 1, 1, 0}}, GDT_Byte)};
    options.grid.projwin = {480010, 5990000, 480030, 5989980};  // columns 2 and 3
    expect_pixels(pixels_of(options), {kNan, 3, 5, kNan});
}

TEST_F(ExternalMasks, FollowTheStackOntoAnotherGridByTheirNearestPixels) {
    SeriesOptions options = of({write("g.tif", {1, 2, 2, {1, 2, 3, 4}})});
    options.mask = {write("gm.tif", {1, 2, 2, {1, 0, 1, 1}}, GDT_Byte)};
    options.grid.tr = {5, 10};
    options.grid.r = "bilinear";
    const std::vector<float> pixels = pixels_of(options);
    ASSERT_EQ(pixels.size(), 8U);
    for (const std::size_t masked : {2U, 3U}) EXPECT_TRUE(std::isnan(pixels[masked])) << masked;
    for (const std::size_t valid : {0U, 1U, 4U, 5U, 6U, 7U}) EXPECT_FALSE(std::isnan(pixels[valid])) << valid;
}

TEST_F(ExternalMasks, AnotherGridIsAnErrorThatNamesTheDifference) {
    EXPECT_EQ(error({write("m.tif", {1, 1, 4, {1, 1, 1, 1}}, GDT_Byte)}),
              "-mask '" + dir_.file("m.tif") + "': size 4 x 1 pixels, expected 3 x 1 pixels as in the stack");
    write("m.tif", {1, 1, 3, {1, 1, 1}}, GDT_Byte);
    double coefficients[] = {480010, 10, 0, 5990000, 0, -10};
    update(dir_.file("m.tif"))->SetGeoTransform(coefficients);
    EXPECT_EQ(error({dir_.file("m.tif")}),
              "-mask '" + dir_.file("m.tif") + "': left edge 480010, expected 480000 as in the stack");
}

TEST_F(ExternalMasks, AnotherNumberOfDatesIsAnError) {
    EXPECT_EQ(error({write("m.tif", {3, 1, 3, {1, 1, 1, 1, 1, 1, 1, 1, 1}}, GDT_Byte)}),
              "-mask '" + dir_.file("m.tif") +
                  ", band 1': there are 3 masks, the stack has 2 scenes; expected one mask, or one a scene");
    EXPECT_EQ(error({dir_.file("m.tif"), dir_.file("m.tif")}),
              "-mask '" + dir_.file("m.tif") + "': has 3 bands, expected 1 of each of several masks");
}

TEST_F(ExternalMasks, AMaskOfAnotherDayThanItsSceneIsAnError) {
    write("m_20200101.tif", {1, 1, 3, {1, 1, 1}}, GDT_Byte);
    write("m_20200103.tif", {1, 1, 3, {1, 1, 1}}, GDT_Byte);
    EXPECT_EQ(error({dir_.file("m_20200103.tif"), dir_.file("m_20200101.tif")}),
              "-mask '" + dir_.file("m_20200103.tif") +
                  "': is of 2020-01-03, expected 2020-01-02 as of the "
                  "scene '" +
                  dir_.file("s_20200102.tif") + "'");
}

TEST_F(ExternalMasks, AreFilesOfTheStackThatGdalAloneDoesNotSee) {
    options_.mask = {write("m.tif", {1, 1, 3, {0, 1, 1}}, GDT_Byte)};
    const RasterSeries series = open_series(options_);
    EXPECT_EQ(series.files().back(), dir_.file("m.tif"));
    EXPECT_EQ(series.scenes()[0].bands[0].dataset, "");
}

}  // namespace
}  // namespace rastertide
