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
