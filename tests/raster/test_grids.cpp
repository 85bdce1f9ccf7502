// SPDX-License-Identifier: Apache-2.0
// Scenes of other grids: windows, warping and mosaics, as open_series() reads them.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/open_series.hpp>

#ifdef RASTERTIDE_TEST_HDF5
#include "support/hdf5_stack.hpp"
#endif
#include "support/placed.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::Bands;
using testing_support::Coefficients;
using testing_support::coefficients_of;
using testing_support::cropped;
using testing_support::read_bands;
using testing_support::TempDir;
using testing_support::write_placed;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

SeriesOptions of(const std::vector<std::string>& inputs) {
    SeriesOptions options;
    options.inputs = inputs;
    return options;
}

std::vector<float> pixels_of(RasterSeries& series, const Window& window) {
    std::vector<float> pixels(
        static_cast<std::size_t>(window.n_pixels() * series.n_dates() * series.n_bands()));
    series.read(window, pixels.data());
    return pixels;
}

std::vector<float> pixels_of(const SeriesOptions& options) {
    RasterSeries series = open_series(options);
    return pixels_of(series, series.grid().extent());
}

/// Equal, NaN to NaN.
void expect_pixels(const std::vector<float>& found, const std::vector<float>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(std::isnan(found[i]), std::isnan(expected[i])) << i << ": " << found[i];
        if (std::isnan(expected[i])) continue;
        ASSERT_EQ(found[i], expected[i]) << i;
    }
}

std::string error_of(const SeriesOptions& options) {
    try {
        open_series(options);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

/// Pixels that differ from their neighbours, with a hole.
Bands scene(int n_rows, int n_cols, int seed = 0) {
    Bands bands{1, n_rows, n_cols, {}};
    for (int i = 0; i < n_rows * n_cols; ++i) {
        const bool hole = i / n_cols > 8 && i / n_cols < 12 && i % n_cols < 7;
        bands.values.push_back(hole ? kNan : static_cast<float>((i * 37 + seed * 11) % 101));
    }
    return bands;
}

constexpr Coefficients kPlace = {480000, 10, 0, 5990000, 0, -10};

class Grids : public testing::Test {
  protected:
    /// A file of a day of January 2020.
    std::string write(int day, const Bands& bands, const Coefficients& place = kPlace, int epsg = 0,
                      const std::string& prefix = "s") const {
        const std::string path =
            dir_.file(prefix + "_202001" + std::string(day < 10 ? "0" : "") + std::to_string(day) + ".tif");
        write_placed(path, bands, place, epsg);
        return path;
    }

    TempDir dir_;
};

TEST_F(Grids, TheUnionOfShiftedScenesIsNotResampled) {
    const Bands a = scene(20, 30);
    const Bands b = scene(20, 30, 1);
    SeriesOptions options = of({write(1, a), write(2, b, {480050, 10, 0, 5989970, 0, -10})});
    options.grid.align = Align::Union;
    RasterSeries series = open_series(options);
    ASSERT_EQ(series.grid().n_cols, 35);
    ASSERT_EQ(series.grid().n_rows, 23);
    EXPECT_EQ(series.grid().geotransform.c, kPlace);
    const std::vector<float> all = pixels_of(series, series.grid().extent());
    const auto at = [&](int date, int row, int col) {
        return all[static_cast<std::size_t>((date * 23 + row) * 35 + col)];
    };
    EXPECT_EQ(at(0, 19, 29), a.at(0, 19, 29));
    EXPECT_TRUE(std::isnan(at(0, 20, 29)));
    EXPECT_TRUE(std::isnan(at(0, 19, 30)));
    EXPECT_EQ(at(1, 3, 5), b.at(0, 0, 0));
    EXPECT_EQ(at(1, 22, 34), b.at(0, 19, 29));
    EXPECT_TRUE(std::isnan(at(1, 2, 5)));
}

TEST_F(Grids, TheIntersectionOfShiftedScenesIsTheirCommonPart) {
    const Bands a = scene(20, 30);
    const Bands b = scene(20, 30, 1);
    SeriesOptions options = of({write(1, a), write(2, b, {480050, 10, 0, 5989970, 0, -10})});
    options.grid.align = Align::Intersection;
    std::vector<float> expected = cropped(a, 5, 3, 25, 17).values;
    const std::vector<float> second = cropped(b, 0, 0, 25, 17).values;
    expected.insert(expected.end(), second.begin(), second.end());
    expect_pixels(pixels_of(options), expected);
}

TEST_F(Grids, ScenesWithoutACommonAreaHaveNoIntersection) {
    SeriesOptions options =
        of({write(1, scene(20, 30)), write(2, scene(20, 30), {490000, 10, 0, 5990000, 0, -10})});
    options.grid.align = Align::Intersection;
    EXPECT_NE(error_of(options).find("no common area"), std::string::npos) << error_of(options);
}

/// Every scene as gdalwarp makes it, whatever is resampled.
class Warped : public Grids, public testing::WithParamInterface<const char*> {};

TEST_P(Warped, ScenesAreWhatGdalwarpMakesOfThem) {
    const std::string r = GetParam();
    const std::vector<std::string> inputs = {write(1, scene(60, 70)),
                                             write(2, scene(50, 60, 1), {480103, 10, 0, 5989942, 0, -10}),
                                             write(3, scene(30, 30, 2), {479900, 20, 0, 5990100, 0, -20})};
    SeriesOptions options = of(inputs);
    options.grid.t_srs = "EPSG:4326";
    options.grid.tr = {{0.00005, 0.00004}};
    options.grid.te = {{8.6935, 54.0540, 8.7105, 54.0600}};
    options.grid.r = r;
    std::vector<float> expected;
    for (const std::string& input : inputs) {
        const std::string warped = input + ".warped.tif";
        testing_support::warp(
            input, warped,
            "-r " + r + " -t_srs EPSG:4326 -tr 0.00005 0.00004 -te 8.6935 54.054 8.7105 54.06");
        const std::vector<float> values = read_bands(warped).values;
        expected.insert(expected.end(), values.begin(), values.end());
    }
    const std::vector<float> found = pixels_of(options);
    ASSERT_EQ(found.size(), expected.size());
    std::size_t n_valid = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(std::isnan(found[i]), std::isnan(expected[i])) << i << ": " << found[i];
        if (std::isnan(found[i])) continue;
        ++n_valid;
        // Both sum the same few products, in their own order.
        ASSERT_NEAR(found[i], expected[i], 1e-4) << i;
    }
    EXPECT_GT(n_valid, found.size() / 10);
}

INSTANTIATE_TEST_SUITE_P(Resampling, Warped,
                         testing::Values("near", "bilinear", "cubic", "cubicspline", "lanczos", "average",
                                         "mode", "max", "min", "med", "q1", "q3", "rms"));

TEST_F(Grids, AnotherCrsAloneGivesGdalwarpsGrid) {
    const std::string input = write(1, scene(60, 70));
    testing_support::warp(input, dir_.file("w.tif"), "-t_srs EPSG:4326");
    SeriesOptions options = of({input});
    options.grid.t_srs = "EPSG:4326";
    RasterSeries series = open_series(options);
    const Bands expected = read_bands(dir_.file("w.tif"));
    EXPECT_EQ(series.grid().n_cols, expected.n_cols);
    EXPECT_EQ(series.grid().n_rows, expected.n_rows);
    const Coefficients coefficients = coefficients_of(dir_.file("w.tif"));
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_NEAR(series.grid().geotransform.c[i], coefficients[i], 1e-12) << i;
    }
    expect_pixels(pixels_of(series, series.grid().extent()), expected.values);
}

TEST_F(Grids, TapAlignsToMultiplesAsGdalwarpDoes) {
    const std::string input = write(1, scene(60, 70));
    testing_support::warp(input, dir_.file("w.tif"), "-tr 30 30 -tap -r average");
    SeriesOptions options = of({input});
    options.grid.tr = {{30, 30}};
    options.grid.tap = true;
    options.grid.r = "average";
    RasterSeries series = open_series(options);
    EXPECT_EQ(series.grid().geotransform.c, coefficients_of(dir_.file("w.tif")));
    expect_pixels(pixels_of(series, series.grid().extent()), read_bands(dir_.file("w.tif")).values);
}

TEST_F(Grids, AMuchCoarserGridIsWhatGdalwarpMakes) {
    const std::string input = write(1, scene(400, 500));
    testing_support::warp(input, dir_.file("w.tif"), "-tr 900 700 -r average");
    SeriesOptions options = of({input});
    options.grid.tr = {{900, 700}};
    options.grid.r = "average";
    RasterSeries series = open_series(options);
    EXPECT_EQ(series.grid().geotransform.c, coefficients_of(dir_.file("w.tif")));
    expect_pixels(pixels_of(series, series.grid().extent()), read_bands(dir_.file("w.tif")).values);
}

// GDAL 3.6 mixes pixels up where it warps few columns at the left edge of a source (average, max, med), and
// the last block of a grid may be narrow.
TEST_F(Grids, ASceneThatBeginsInANarrowBlockIsNotMixedUp) {
    const std::string input = write(1, scene(400, 500));
    const int first_col = 56;  // blocks are 14 columns wide
    for (const int n_cols : {1, 2, 3}) {
        for (const std::string r : {"average", "max", "med"}) {
            const int xmin = 480000 - 45 * first_col;
            const auto te = [&](int n) {
                return std::to_string(xmin) + " 5986500 " + std::to_string(xmin + 45 * n) + " 5990000";
            };
            testing_support::warp(input, dir_.file("w.tif"),
                                  "-overwrite -tr 45 35 -r " + r + " -te " + te(first_col + 60));
            SeriesOptions options = of({input});
            options.grid.tr = {{45, 35}};
            options.grid.r = r;
            options.grid.te = {{xmin * 1.0, 5986500, xmin + 45.0 * (first_col + n_cols), 5990000}};
            expect_pixels(pixels_of(options),
                          cropped(read_bands(dir_.file("w.tif")), 0, 0, first_col + n_cols, 100).values);
        }
    }
}

TEST_F(Grids, ASceneOfFewColumnsOfTheGridHasNoAverage) {
    SeriesOptions options = of({write(1, scene(400, 500))});
    options.grid.tr = {{1100, 100}};
    options.grid.r = "average";
    EXPECT_NE(error_of(options).find("spans 4.55 columns of the grid"), std::string::npos)
        << error_of(options);
    options.grid.r = "bilinear";
    EXPECT_EQ(error_of(options), "no error");
}

TEST_F(Grids, RowsFromSouthToNorthStayAsTheyAre) {
    const Bands a = scene(20, 30);
    const Bands b = scene(20, 30, 1);
    SeriesOptions options =
        of({write(1, a, {480000, 10, 0, 5989800, 0, 10}), write(2, b, {480050, 10, 0, 5989830, 0, 10})});
    options.grid.align = Align::Intersection;
    RasterSeries series = open_series(options);
    EXPECT_EQ(series.grid().geotransform.c, (Coefficients{480050, 10, 0, 5989830, 0, 10}));
    const std::vector<float> first = pixels_of(series, {0, 0, 25, 17});
    EXPECT_EQ(first.front(), a.at(0, 3, 5));
}

TEST_F(Grids, ScenesWithoutACrsAreOnlyCut) {
    const std::string a = write(1, scene(20, 30));
    const std::string b = write(2, scene(20, 30), {480005, 10, 0, 5990000, 0, -10});
    for (const std::string& path : {a, b}) {
        const GDALDatasetUniquePtr file(GDALDataset::Open(path.c_str(), GDAL_OF_UPDATE));
        file->SetSpatialRef(nullptr);
    }
    SeriesOptions options = of({a, b});
    options.grid.align = Align::Union;
    EXPECT_NE(error_of(options).find("'" + b + "': has no coordinate reference system"), std::string::npos)
        << error_of(options);
    options.grid = {};
    options.inputs = {a};
    options.grid.projwin = {{480050, 5989980, 480100, 5989920}};
    EXPECT_EQ(open_series(options).grid().n_cols, 5);
    options.grid.projwin_srs = "EPSG:4326";
    EXPECT_NE(error_of(options).find("-a_srs gives one"), std::string::npos) << error_of(options);
}

TEST_F(Grids, WarpedPixelsDoNotDependOnTheWindow) {
    for (const char* r : {"near", "cubic", "average"}) {
        SeriesOptions options =
            of({write(1, scene(160, 170)), write(2, scene(50, 60, 1), {480103, 10, 0, 5989942, 0, -10})});
        options.grid.t_srs = "EPSG:3035";
        options.grid.tr = {{25, 17}};
        options.grid.r = r;
        RasterSeries series = open_series(options);
        const Window whole = series.grid().extent();
        const std::vector<float> all = pixels_of(series, whole);
        for (const Window& window : {Window{3, 5, 60, 40}, Window{50, 61, 10, 30}, Window{7, 0, 1, 90}}) {
            ASSERT_EQ(intersect(window, whole), window);
            std::vector<float> expected;
            for (std::int64_t date = 0; date < 2; ++date) {
                for (std::int64_t row = window.row; row < window.end_row(); ++row) {
                    const auto first = all.begin() + (date * whole.n_rows + row) * whole.n_cols + window.col;
                    expected.insert(expected.end(), first, first + window.n_cols);
                }
            }
            expect_pixels(pixels_of(series, window), expected);
        }
    }
}

TEST_F(Grids, MasksAndScalesAreAppliedBeforeWarping) {
    Bands bands = scene(40, 40);
    for (float& value : bands.values) value = std::isnan(value) ? 0 : value + 1;
    const std::string packed = dir_.file("p_20200101.tif");
    write_placed(packed, bands, kPlace, 0, GDT_UInt16);
    {
        const GDALDatasetUniquePtr file(GDALDataset::Open(packed.c_str(), GDAL_OF_UPDATE));
        file->GetRasterBand(1)->SetNoDataValue(0);
        file->GetRasterBand(1)->SetScale(0.5);
        file->GetRasterBand(1)->SetOffset(-2);
    }
    for (float& value : bands.values) value = value == 0 ? kNan : value / 2 - 2;
    SeriesOptions options = of({packed});
    options.grid.tr = {{7, 7}};
    options.grid.r = "bilinear";
    const std::vector<float> found = pixels_of(options);
    options.inputs = {write(1, bands)};
    expect_pixels(found, pixels_of(options));
}

TEST_F(Grids, AWindowIsAPartOfTheStack) {
    const Bands a = scene(20, 30);
    const std::string path = write(1, a);
    SeriesOptions options = of({path});
    options.grid.projwin = {{480051, 5989979, 480099, 5989921}};  // within pixels: outwards
    expect_pixels(pixels_of(options), cropped(a, 5, 2, 5, 6).values);
    RasterSeries series = open_series(options);
    EXPECT_EQ(series.grid().geotransform.c, (Coefficients{480050, 10, 0, 5989980, 0, -10}));

    options.grid.projwin = {{479000, 5989980, 480100, 5980000}};  // clipped
    expect_pixels(pixels_of(options), cropped(a, 0, 2, 10, 18).values);

    SeriesOptions te = of({path});
    te.grid.te = {{480051, 5989921, 480099, 5989979}};
    expect_pixels(pixels_of(te), cropped(a, 5, 2, 5, 6).values);
}

TEST_F(Grids, AWindowOfAnotherCrsCoversWhatItNames) {
    const Bands a = scene(20, 30);
    SeriesOptions options = of({write(1, a)});
    // The middle of the raster.
    options.grid.projwin = {{8.69646, 54.05712, 8.69706, 54.05677}};
    options.grid.projwin_srs = "EPSG:4326";
    const RasterSeries series = open_series(options);
    EXPECT_GE(series.grid().n_cols, 4);
    EXPECT_LE(series.grid().n_cols, 6);
    EXPECT_GE(series.grid().n_rows, 4);
    EXPECT_LE(series.grid().n_rows, 6);
}

TEST_F(Grids, AnExtentBesideTheStackIsAnErrorThatNamesBoth) {
    SeriesOptions options = of({write(1, scene(20, 30))});
    options.grid.projwin = {{490000, 5989979, 490099, 5989921}};
    EXPECT_NE(error_of(options).find("-projwin 490000 5989921 490099 5989979"), std::string::npos);
    EXPECT_NE(error_of(options).find("spans 480000 5989800 480300 5990000"), std::string::npos)
        << error_of(options);
    options.grid.projwin.reset();
    options.grid.te = {{490000, 5989921, 490099, 5989979}};
    EXPECT_NE(
        error_of(options).find("-te 490000 5989921 490099 5989979: does not meet the stack, which spans "
                               "480000 5989800 480300 5990000"),
        std::string::npos)
        << error_of(options);
}

TEST_F(Grids, AnExtentBeyondTheStackIsPaddedWithNodata) {
    const Bands a = scene(20, 30);
    SeriesOptions options = of({write(1, a)});
    options.grid.te = {{479980, 5989990, 480020, 5990010}};
    expect_pixels(pixels_of(options), {kNan, kNan, kNan, kNan, kNan, kNan, a.at(0, 0, 0), a.at(0, 0, 1)});
}

TEST_F(Grids, FramesOfOneDateAreTheUnsplitScene) {
    const Bands whole = scene(40, 30);
    const Bands other = scene(40, 30, 3);
    SeriesOptions options =
        of({write(1, cropped(whole, 0, 0, 30, 22), kPlace, 0, "upper"),
            write(1, cropped(whole, 0, 18, 30, 22), {480000, 10, 0, 5989820, 0, -10}, 0, "lower"),
            write(2, other)});
    options.grid.align = Align::Union;
    std::vector<float> expected = whole.values;
    expected.insert(expected.end(), other.values.begin(), other.values.end());
    expect_pixels(pixels_of(options), expected);
    const RasterSeries series = open_series(options);
    EXPECT_EQ(series.scenes()[0].name, options.inputs[0] + " + " + options.inputs[1]);
    EXPECT_TRUE(series.scenes()[0].bands[0].dataset.empty());

    options.mosaic = MosaicRule::None;
    EXPECT_EQ(open_series(options).n_dates(), 3);
}

TEST_F(Grids, TheFirstValidPixelOfAMosaicWins) {
    SeriesOptions options = of({write(1, {1, 1, 4, {kNan, 1, 0, 1}}, kPlace, 0, "b"),
                                write(1, {1, 1, 4, {2, 2, 2, kNan}}, kPlace, 0, "a")});
    EXPECT_EQ(open_series(options).n_dates(), 2);  // of one grid: both are kept
    options.mosaic = MosaicRule::Time;
    expect_pixels(pixels_of(options), {2, 1, 0, 1});
    options.scale = PixelScale::Db;  // 0 has no logarithm, so it is not valid
    const auto two = static_cast<float>(10 * std::log10(2.0));
    expect_pixels(pixels_of(options), {two, 0, two, 0});
}

TEST_F(Grids, ScenesOfOneDayAreJoinedOnDemand) {
    const Bands a{1, 1, 2, {kNan, 1}};
    const Bands b{1, 1, 2, {2, 2}};
    write_placed(dir_.file("x_20200101T055202.tif"), a, kPlace);
    write_placed(dir_.file("x_20200101T055137.tif"), b, kPlace);
    SeriesOptions options = of({dir_.file("x_20200101T055202.tif"), dir_.file("x_20200101T055137.tif")});
    options.mosaic = MosaicRule::Time;
    EXPECT_EQ(open_series(options).n_dates(), 2);
    options.mosaic = MosaicRule::Day;
    expect_pixels(pixels_of(options), {2, 1});  // in the order of the inputs
    EXPECT_EQ(open_series(options).scenes()[0].date->iso(), "2020-01-01T05:51:37Z");
}

TEST_F(Grids, EveryNthDateIsTaken) {
    std::vector<std::string> inputs;
    for (int day = 1; day <= 8; ++day) inputs.push_back(write(day, scene(3, 3, day)));
    SeriesOptions options = of(inputs);
    options.date_step = 3;
    options.start_date = parse_date("2020-01-02");
    const RasterSeries series = open_series(options);
    ASSERT_EQ(series.n_dates(), 3);
    EXPECT_EQ(series.scenes()[0].date->iso(), "2020-01-02");
    EXPECT_EQ(series.scenes()[1].date->iso(), "2020-01-05");
    EXPECT_EQ(series.scenes()[2].date->iso(), "2020-01-08");
}

TEST_F(Grids, AMismatchNamesSceneFoundExpectedAndOption) {
    const std::vector<std::string> inputs = {write(1, scene(20, 30)),
                                             write(2, scene(20, 30), {480005, 10, 0, 5990000, 0, -10}),
                                             write(3, scene(20, 31), kPlace, 32633)};
    EXPECT_EQ(error_of(of(inputs)), "'" + inputs[1] + "': left edge 480005, expected 480000 as in '" +
                                        inputs[0] +
                                        "'; all scenes must lie on one grid: -align union (or intersection) "
                                        "brings them onto that of the first");
    const std::vector<SceneDifference> all = scene_differences(of(inputs));
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].scene, inputs[1]);
    EXPECT_EQ(all[1].scene, inputs[2]);
    EXPECT_EQ(all[1].difference.what, "size");
    EXPECT_EQ(all[2].difference.found, "WGS 84 / UTM zone 33N (EPSG:32633)");
    EXPECT_EQ(all[2].difference.expected, "WGS 84 / UTM zone 32N (EPSG:32632)");
}

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(Grids, Hdf5StacksHaveWindowsAndOtherGridsToo) {
    const Bands a = scene(20, 30);
    testing_support::write_hdf5_stack(dir_.file("a.h5"), a, H5T_NATIVE_FLOAT);
    SeriesOptions options = of({dir_.file("a.h5")});
    options.dataset = {"data"};
    options.a_srs = "EPSG:32632";
    options.a_ullr = {{480000, 5990000, 480300, 5989800}};
    options.grid.projwin = {{480050, 5989980, 480100, 5989920}};
    expect_pixels(pixels_of(options), cropped(a, 5, 2, 5, 6).values);

    options.grid = {};
    options.grid.tr = {{7, 7}};
    options.grid.r = "bilinear";
    SeriesOptions plain = of({write(1, a)});
    plain.grid = options.grid;
    expect_pixels(pixels_of(options), pixels_of(plain));
}
#endif

}  // namespace
}  // namespace rastertide
