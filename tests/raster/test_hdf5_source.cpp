// SPDX-License-Identifier: Apache-2.0
// HDF5 stacks of every type and chunk shape are read as they are.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/open_series.hpp>

#include "support/hdf5_stack.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::Bands;
using testing_support::TempDir;
using testing_support::write_hdf5_stack;

/// Every pixel of every date another number.
Bands numbered(int n_dates, int n_rows, int n_cols) {
    Bands bands{n_dates, n_rows, n_cols, {}};
    for (int i = 0; i < n_dates * n_rows * n_cols; ++i) bands.values.push_back(static_cast<float>(i % 30011));
    return bands;
}

void expect_window(RasterSeries& series, const Window& window, const Bands& expected, bool flipped = false) {
    std::vector<float> found(static_cast<std::size_t>(window.n_pixels() * series.n_dates()));
    series.read(window, found.data());
    std::size_t i = 0;
    for (int date = 0; date < expected.n_bands; ++date) {
        for (auto row = static_cast<int>(window.row); row < window.end_row(); ++row) {
            for (auto col = static_cast<int>(window.col); col < window.end_col(); ++col) {
                const int file_row = flipped ? expected.n_rows - 1 - row : row;
                ASSERT_EQ(found[i++], expected.at(date, file_row, col)) << date << ' ' << row << ' ' << col;
            }
        }
    }
}

struct Hdf5Case {
    const char* name;
    bool wide;  ///< passes through double precision
    std::vector<hsize_t> chunk;
};

class Hdf5Stacks : public testing::TestWithParam<Hdf5Case> {
  protected:
    hid_t type() const { return GetParam().wide ? H5T_NATIVE_INT32 : H5T_NATIVE_INT16; }

    RasterSeries open(const Bands& bands, const std::vector<float>& y = {}) const {
        write_hdf5_stack(dir_.file("a.h5"), bands, type(), GetParam().chunk, y);
        SeriesOptions options;
        options.inputs = {dir_.file("a.h5")};
        return open_series(options);
    }

    TempDir dir_;
};

TEST_P(Hdf5Stacks, AnyWindowIsReadAsItIs) {
    const Bands bands = numbered(7, 40, 50);
    RasterSeries series = open(bands);
    expect_window(series, {0, 0, 50, 40}, bands);
    expect_window(series, {13, 7, 30, 25}, bands);
    expect_window(series, {49, 39, 1, 1}, bands);
}

TEST_P(Hdf5Stacks, AscendingRowsAreTurned) {
    const Bands bands = numbered(7, 40, 50);
    std::vector<float> y;
    for (int row = 0; row < bands.n_rows; ++row) y.push_back(static_cast<float>(row));
    RasterSeries series = open(bands, y);
    expect_window(series, {0, 0, 50, 40}, bands, true);
    expect_window(series, {13, 7, 30, 25}, bands, true);
}

INSTANTIATE_TEST_SUITE_P(
    Hdf5, Hdf5Stacks,
    testing::Values(Hdf5Case{"narrow", false, {}}, Hdf5Case{"narrow_chunked", false, {3, 16, 16}},
                    Hdf5Case{"wide", true, {}}, Hdf5Case{"wide_chunked", true, {3, 16, 16}},
                    Hdf5Case{"wide_rows", true, {1, 1, 50}}, Hdf5Case{"wide_pixels", true, {7, 1, 1}}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(Hdf5Source, ChunksLargerThanTheScratchAreReadInParts) {
    const TempDir dir;
    const Bands bands = numbered(2, 1200, 1000);  // a chunk is 19 MB in double precision
    write_hdf5_stack(dir.file("a.h5"), bands, H5T_NATIVE_INT32, {2, 1200, 1000});
    SeriesOptions options;
    options.inputs = {dir.file("a.h5")};
    RasterSeries series = open_series(options);
    expect_window(series, {0, 0, 1000, 1200}, bands);
}

TEST(Hdf5Source, HugeValuesAreAnErrorThatNamesTheBand) {
    const TempDir dir;
    write_hdf5_stack(dir.file("a.h5"), {2, 1, 1, {1, 3e30F}}, H5T_NATIVE_DOUBLE);
    SeriesOptions options;
    options.inputs = {dir.file("a.h5")};
    RasterSeries series = open_series(options);
    std::vector<float> pixels(2);
    try {
        series.read({0, 0, 1, 1}, pixels.data());
        FAIL() << "no error";
    } catch (const InvalidArgument& error) {
        EXPECT_NE(std::string(error.what()).find("dataset '/data', band 2: pixel value 3e+30"),
                  std::string::npos)
            << error.what();
    }
}

}  // namespace
}  // namespace rastertide
