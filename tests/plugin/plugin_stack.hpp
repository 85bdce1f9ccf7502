// SPDX-License-Identifier: Apache-2.0
// A small stack, and what the library says of it.
#pragma once

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <rastertide/compute/lof.hpp>
#include <rastertide/read/open_series.hpp>

#include "support/rasters.hpp"
#include "support/temp_dir.hpp"

namespace rastertide::testing_support {

/// Speckle around an offset, a bright date at some places, and holes. Sizes are no multiples of anything.
inline Bands make_stack(int n_dates, int n_rows, int n_cols, float offset = 0, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::gamma_distribution<float> speckle(4, 0.25F);
    Bands stack{n_dates, n_rows, n_cols, {}};
    for (int date = 0; date < n_dates; ++date) {
        for (int row = 0; row < n_rows; ++row) {
            for (int col = 0; col < n_cols; ++col) {
                float value = offset + speckle(random);
                if (date == 3 && row / 10 == 1 && col / 10 == 2) value += 8;
                if (random() % 997 == 0) value = std::numeric_limits<float>::quiet_NaN();
                stack.values.push_back(value);
            }
        }
    }
    return stack;
}

/// LOF of all locations by the library: [date][row][col] of the raster, NaN at the rim.
inline Bands library_scores(const Bands& stack, const LofParams& params, Backend backend = Backend::Cpu) {
    const int half = params.patch_size / 2;
    Bands scores{stack.n_bands, stack.n_rows, stack.n_cols,
                 std::vector<float>(stack.values.size(), std::numeric_limits<float>::quiet_NaN())};
    ComputeOptions options;
    options.backend = backend;
    lof({stack.values.data(), stack.n_bands, 1, stack.n_rows, stack.n_cols, half, half}, params,
        {scores.values.data() + half * stack.n_cols + half, std::int64_t{stack.n_rows} * stack.n_cols,
         stack.n_cols},
        options);
    return scores;
}

/// Equal to within a relative difference; NaN to NaN. 0: the same bits.
inline void expect_close(const std::vector<float>& found, const std::vector<float>& expected,
                         double tolerance) {
    ASSERT_EQ(found.size(), expected.size());
    std::size_t n_wrong = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const bool same = std::isnan(expected[i])
                              ? std::isnan(found[i])
                              : std::fabs(found[i] - expected[i]) <=
                                    tolerance * std::fabs(static_cast<double>(expected[i]));
        if (!same && n_wrong++ < 3)
            ADD_FAILURE() << "at " << i << ": " << found[i] << ", expected " << expected[i];
    }
    EXPECT_EQ(n_wrong, 0U);
}

/// GDAL's errors of a step, in one text.
template <class Step>
std::string errors_of(Step step) {
    std::string text;
    CPLPushErrorHandlerEx(
        [](CPLErr, CPLErrorNum, const char* message) {
            *static_cast<std::string*>(CPLGetErrorHandlerUserData()) += message;
        },
        &text);
    step();
    CPLPopErrorHandler();
    return text;
}

inline std::vector<float> read_window(GDALRasterBand* band, int col, int row, int n_cols, int n_rows) {
    std::vector<float> values(static_cast<std::size_t>(n_cols) * static_cast<std::size_t>(n_rows));
    EXPECT_EQ(band->RasterIO(GF_Read, col, row, n_cols, n_rows, values.data(), n_cols, n_rows, GDT_Float32, 0,
                             0, nullptr),
              CE_None);
    return values;
}

inline std::vector<float> window_of(const Bands& bands, int band, int col, int row, int n_cols, int n_rows) {
    std::vector<float> values;
    for (int i = row; i < row + n_rows; ++i) {
        for (int k = col; k < col + n_cols; ++k) values.push_back(bands.at(band, i, k));
    }
    return values;
}

inline std::vector<float> window_of_all(const Bands& bands, int col, int row, int n_cols, int n_rows) {
    std::vector<float> values;
    for (int band = 0; band < bands.n_bands; ++band) {
        const std::vector<float> one = window_of(bands, band, col, row, n_cols, n_rows);
        values.insert(values.end(), one.begin(), one.end());
    }
    return values;
}

inline GDALDatasetUniquePtr open_lazy(const std::string& name, const std::vector<std::string>& options = {}) {
    GDALAllRegister();
    CPLStringList list;
    for (const std::string& option : options) list.AddString(option.c_str());
    return GDALDatasetUniquePtr(
        GDALDataset::Open(name.c_str(), GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, nullptr, list.List()));
}

}  // namespace rastertide::testing_support
