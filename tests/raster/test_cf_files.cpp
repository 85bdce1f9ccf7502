// SPDX-License-Identifier: Apache-2.0
// What the CF conventions say of HDF5 and netCDF files: axes, packed values, missing values, time.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/cf_file.hpp"
#include "support/series.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::Bands;
using testing_support::CfFile;
using testing_support::dates_of;
using testing_support::error_of;
using testing_support::expect_pixels;
using testing_support::kNan;
using testing_support::of;
using testing_support::pixels_of;
using testing_support::TempDir;

class CfFiles : public testing::Test {
  protected:
    std::string path() const { return dir_.file("a.nc"); }

    TempDir dir_;
};

TEST_F(CfFiles, RowsOfEitherOrderGiveOneRaster) {
    for (const bool rises : {false, true}) {
        {
            const CfFile file(path());
            const Bands north_up{1, 2, 2, {1, 2, 3, 4}};
            const Bands south_up{1, 2, 2, {3, 4, 1, 2}};
            file.stack("data", rises ? south_up : north_up, H5T_NATIVE_FLOAT);
            file.axis("y", rises ? std::vector<float>{5, 15} : std::vector<float>{15, 5});
            file.axis("x", {105, 115});
        }
        expect_pixels(pixels_of(of({path()})), {1, 2, 3, 4});
        const Geotransform transform = open_series(of({path()})).grid().geotransform;
        EXPECT_EQ(transform.c, (std::array<double, 6>{100, 10, 0, 20, 0, -10})) << rises;
    }
}

struct PackedCase {
    const char* name;
    hid_t stored;
};

class PackedValues : public CfFiles, public testing::WithParamInterface<PackedCase> {};

TEST_P(PackedValues, AreUnpackedAndBothMissingValuesAreInvalid) {
    {
        const CfFile file(path());
        file.stack("data", {1, 1, 4, {100, -99, -98, 0}}, GetParam().stored);
        file.number("data", "scale_factor", 0.25);
        file.number("data", "add_offset", 10);
        file.number("data", "_FillValue", -99);
        file.number("data", "missing_value", -98);
    }
    SeriesOptions options = of({path()});
    expect_pixels(pixels_of(options), {35, kNan, kNan, 10});
    EXPECT_EQ(open_series(options).scenes()[0].bands[0].dataset, "");  // GDAL knows one of the two
    options.srcnodata = 0;                                             // in their place
    expect_pixels(pixels_of(options), {35, -14.75F, -14.5F, kNan});
}

INSTANTIATE_TEST_SUITE_P(Types, PackedValues,
                         testing::Values(PackedCase{"int8", H5T_STD_I8LE}, PackedCase{"int16", H5T_STD_I16LE},
                                         PackedCase{"big_endian", H5T_STD_I16BE},
                                         PackedCase{"int32", H5T_STD_I32LE},
                                         PackedCase{"float32", H5T_IEEE_F32LE},
                                         PackedCase{"float64", H5T_IEEE_F64LE}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

TEST_F(CfFiles, UnsignedValuesInSignedTypesHaveUnsignedMissingValues) {
    {
        const CfFile file(path());
        file.stack("data", {1, 1, 4, {100, -1, -2, -3}}, H5T_STD_I8LE);
        file.text("data", "_Unsigned", "true");
        file.number("data", "_FillValue", -1);
        file.number("data", "missing_value", 254);
    }
    expect_pixels(pixels_of(of({path()})), {100, kNan, kNan, 253});
}

TEST_F(CfFiles, AMissingValueAloneCounts) {
    {
        const CfFile file(path());
        file.stack("data", {1, 1, 2, {-9999, 1}}, H5T_STD_I16LE);
        file.number("data", "missing_value", -9999);
    }
    expect_pixels(pixels_of(of({path()})), {kNan, 1});
    EXPECT_EQ(open_series(of({path()})).source_nodata(), -9999);
}

class CfTimes : public CfFiles {
  protected:
    SeriesOptions stack(const std::string& units, const std::string& calendar) const {
        const CfFile file(path());
        file.stack("data", {2, 1, 1, {1, 2}}, H5T_NATIVE_FLOAT);
        file.axis("time", {1.5, 0});
        if (!units.empty()) file.text("time", "units", units);
        if (!calendar.empty()) file.text("time", "calendar", calendar);
        return of({path()});
    }
};

TEST_F(CfTimes, OrderTheBands) {
    const SeriesOptions options = stack("days since 2020-01-01 06:00:00 +02:00", "gregorian");
    EXPECT_EQ(dates_of(options), (std::vector<std::string>{"2020-01-01T04:00:00Z", "2020-01-02T16:00:00Z"}));
    expect_pixels(pixels_of(options), {2, 1});
}

TEST_F(CfTimes, OfCalendarsWithoutLeapDaysAreRight) {
    EXPECT_EQ(dates_of(stack("days since 2020-02-28", "noleap")),
              (std::vector<std::string>{"2020-02-28", "2020-03-01T12:00:00Z"}));
}

TEST_F(CfTimes, OfOtherCalendarsAreAnErrorUnlessTheUserGivesDates) {
    SeriesOptions options = stack("days since 2020-01-01", "360_day");
    EXPECT_EQ(error_of(options),
              "'" + path() +
                  "': the calendar of its time is '360_day', expected standard, gregorian, "
                  "proleptic_gregorian, noleap or 365_day; give the dates with -dates FILE or -date_regex");
    options.dates_file = dir_.file("dates.txt");
    FILE* dates = std::fopen(options.dates_file.c_str(), "w");
    std::fputs("2020-01-02\n2020-01-01\n", dates);
    std::fclose(dates);
    EXPECT_EQ(dates_of(options), (std::vector<std::string>{"2020-01-01", "2020-01-02"}));
    EXPECT_NE(error_of(stack("months since 2020-01-01", "")).find("'months since 2020-01-01', expected"),
              std::string::npos);
}

TEST_F(CfTimes, WithoutUnitsAreNumbersOnly) {
    EXPECT_EQ(dates_of(stack("", "")), (std::vector<std::string>{"", ""}));
}

/// Two variables of the same places and dates.
class Variables : public CfFiles {
  protected:
    static SeriesOptions both(const std::vector<std::string>& paths) {
        SeriesOptions options = of(paths);
        options.dataset = {"VV", "/VH"};
        return options;
    }
};

TEST_F(Variables, AreTheBandsOfEachDate) {
    {
        const CfFile file(path());
        file.stack("VV", {3, 1, 2, {1, 2, 3, 4, 5, 6}}, H5T_STD_I16LE);
        file.stack("VH", {3, 1, 2, {10, 20, 30, 40, 50, 60}}, H5T_NATIVE_FLOAT);
        file.number("VH", "_FillValue", 40);
        file.axis("time", {2, 0, 1});
        file.text("time", "units", "days since 2020-01-01");
    }
    SeriesOptions options = both({path()});
    const RasterSeries series = open_series(options);
    EXPECT_EQ(series.n_dates(), 3);
    EXPECT_EQ(series.band_names(), (std::vector<std::string>{"VV", "VH"}));
    EXPECT_EQ(series.files(), std::vector<std::string>{path()});
    expect_pixels(pixels_of(options), {3, 4, 30, kNan, 5, 6, 50, 60, 1, 2, 10, 20});
    options.bands = {1, 3};  // dates, as in the file
    expect_pixels(pixels_of(options), {5, 6, 50, 60, 1, 2, 10, 20});
    options.bands = {4};
    EXPECT_EQ(error_of(options), "'" + path() + "': -b 4, the raster has bands 1 to 3");
}

TEST_F(Variables, AreReadByAnyWindowOfAnyChunks) {
    constexpr int kDates = 9, kRows = 300, kCols = 500;  // 5 MB a variable: two pieces
    for (const std::vector<hsize_t>& chunk :
         {std::vector<hsize_t>{}, {9, 64, 64}, {1, 300, 500}, {9, 300, 500}}) {
        Bands vv{kDates, kRows, kCols, {}};
        for (int i = 0; i < kDates * kRows * kCols; ++i) vv.values.push_back(static_cast<float>(i));
        Bands vh = vv;
        for (float& value : vh.values) value = -value;
        {
            const CfFile file(path());
            file.stack("VV", vv, H5T_STD_I32LE, chunk);
            file.stack("VH", vh, H5T_STD_I32LE, chunk);
        }
        RasterSeries series = open_series(both({path()}));
        for (const Window& window : {Window{0, 0, kCols, kRows}, Window{100, 61, 333, 200}}) {
            std::vector<float> found(static_cast<std::size_t>(2 * kDates * window.n_pixels()));
            series.read(window, found.data());
            std::size_t n_differ = 0;
            for (std::size_t i = 0; i < found.size(); ++i) {
                const auto at = static_cast<std::int64_t>(i) % window.n_pixels();
                const auto band = static_cast<std::int64_t>(i) / window.n_pixels();
                const float expected =
                    vv.at(static_cast<int>(band / 2), static_cast<int>(window.row + at / window.n_cols),
                          static_cast<int>(window.col + at % window.n_cols));
                n_differ += found[i] != (band % 2 == 0 ? expected : -expected);
            }
            EXPECT_EQ(n_differ, 0U);
        }
    }
}

TEST_F(Variables, OfSeveralFilesAreADateEach) {
    std::vector<std::string> paths;
    for (const char* name : {"b_20200102.nc", "a_20200101.nc"}) {
        paths.push_back(dir_.file(name));
        const CfFile file(paths.back());
        const auto number = static_cast<float>(paths.size());
        file.stack("VV", {1, 1, 1, {number}}, H5T_NATIVE_FLOAT);
        file.stack("VH", {1, 1, 1, {10 * number}}, H5T_NATIVE_FLOAT);
    }
    SeriesOptions options = both(paths);
    expect_pixels(pixels_of(options), {2, 20, 1, 10});
    options.bands = {1};
    EXPECT_EQ(error_of(options), "-b: not with several -dataset, which make a patch, of several files");
    CfFile(paths[0]).stack("VV", {2, 1, 1, {1, 2}}, H5T_NATIVE_FLOAT);
    options = of(paths);
    options.dataset = {"VV", "VV"};
    EXPECT_EQ(error_of(options), "'" + paths[0] + "': has 2 dates, a scene among several needs one");
}

TEST_F(Variables, ThatDifferAreAnErrorThatNamesTheDifference) {
    {
        const CfFile file(path());
        file.stack("VV", {2, 1, 1, {1, 2}}, H5T_NATIVE_FLOAT);
        file.stack("VH", {1, 1, 1, {1}}, H5T_NATIVE_FLOAT);
        file.stack("wide", {2, 1, 2, {1, 2, 3, 4}}, H5T_NATIVE_FLOAT);
    }
    SeriesOptions options = both({path()});
    EXPECT_EQ(error_of(options),
              "'" + path() + "', dataset '/VH': has 1 dates, expected 2 as in dataset 'VV'");
    options.dataset = {"VV", "wide"};
    EXPECT_EQ(error_of(options), "'" + path() +
                                     "', dataset 'wide': size 2 x 1 pixels, expected 1 x 1 pixels as in "
                                     "dataset 'VV'");
    options.dataset = {"VV", "absent"};
    EXPECT_NE(error_of(options).find("has no dataset 'absent'"), std::string::npos) << error_of(options);
}

struct LayoutCase {
    const char* name;
    std::vector<hsize_t> chunk;
    std::int64_t block_n_cols, block_n_rows;
};

class Layouts : public CfFiles, public testing::WithParamInterface<LayoutCase> {};

TEST_P(Layouts, AreTheBlocksThatTilesFollow) {
    Bands bands{6, 40, 50, {}};
    for (int i = 0; i < 6 * 40 * 50; ++i) bands.values.push_back(static_cast<float>(i));
    CfFile(path()).stack("data", bands, H5T_STD_I16LE, GetParam().chunk);
    const RasterSeries series = open_series(of({path()}));
    EXPECT_EQ(series.block_n_cols(), GetParam().block_n_cols);
    EXPECT_EQ(series.block_n_rows(), GetParam().block_n_rows);
    expect_pixels(pixels_of(of({path()})), bands.values);
}

INSTANTIATE_TEST_SUITE_P(Chunks, Layouts,
                         testing::Values(LayoutCase{"all_dates", {6, 16, 32}, 32, 16},
                                         LayoutCase{"a_date_whole", {1, 40, 50}, 50, 40},
                                         LayoutCase{"a_date_in_parts", {1, 16, 16}, 16, 16},
                                         LayoutCase{"rows", {1, 1, 50}, 50, 1},
                                         LayoutCase{"contiguous", {}, 50, 1}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace rastertide
