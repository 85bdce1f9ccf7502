// SPDX-License-Identifier: Apache-2.0
// What open_series makes of inputs: pixels, dates, errors.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/open_series.hpp>

namespace rastertide::testing_support {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

inline SeriesOptions of(const std::vector<std::string>& inputs) {
    SeriesOptions options;
    options.inputs = inputs;
    return options;
}

/// All pixels of all dates.
inline std::vector<float> pixels_of(const SeriesOptions& options) {
    RasterSeries series = open_series(options);
    std::vector<float> pixels(
        static_cast<std::size_t>(series.grid().extent().n_pixels() * series.n_dates() * series.n_bands()));
    series.read(series.grid().extent(), pixels.data());
    return pixels;
}

/// Equal, NaN to NaN.
inline void expect_pixels(const std::vector<float>& found, const std::vector<float>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (std::isnan(expected[i])) {
            EXPECT_TRUE(std::isnan(found[i])) << i << ": " << found[i];
        } else {
            EXPECT_EQ(found[i], expected[i]) << i;
        }
    }
}

/// ISO 8601, empty for a scene without a date.
inline std::vector<std::string> dates_of(const SeriesOptions& options) {
    std::vector<std::string> dates;
    const RasterSeries series = open_series(options);
    for (const SceneInfo& scene : series.scenes()) dates.push_back(scene.date ? scene.date->iso() : "");
    return dates;
}

inline std::string error_of(const SeriesOptions& options) {
    try {
        open_series(options);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace rastertide::testing_support
