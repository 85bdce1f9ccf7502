// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "core/counter_random.hpp"
#include "pipeline/simulate/scene.hpp"
#include "pipeline/simulate/speckle.hpp"

namespace rastertide {
namespace {

struct Moments {
    double mean = 0;
    double variance = 0;
};

Moments moments_of(const std::vector<float>& values) {
    Moments moments;
    const auto n = static_cast<double>(values.size());
    for (const float value : values) moments.mean += value / n;
    for (const float value : values) moments.variance += std::pow(value - moments.mean, 2) / n;
    return moments;
}

struct Stack {
    Window window;
    std::vector<float> values;
    std::vector<std::uint8_t> truth;

    std::size_t index(std::int64_t date, std::int64_t row, std::int64_t col) const {
        return static_cast<std::size_t>((date * window.n_rows + row - window.row) * window.n_cols + col -
                                        window.col);
    }
    std::int64_t count(std::uint8_t value) const { return std::count(truth.begin(), truth.end(), value); }
};

constexpr SceneParams kSmall = {
    .n_dates = 40, .n_rows = 90, .n_cols = 110, .seed = 5, .looks = 4, .nodata_fraction = 0};

Stack render(const SceneParams& params, const Window& window, int n_threads = 2) {
    const auto n = static_cast<std::size_t>(params.n_dates * window.n_pixels());
    Stack stack{window, std::vector<float>(n), std::vector<std::uint8_t>(n)};
    Scene(params).render(window, n_threads, stack.values.data(), stack.truth.data());
    return stack;
}

Stack render(const SceneParams& params) { return render(params, {0, 0, params.n_cols, params.n_rows}); }

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

bool holds(const PlantedEvent& event, std::int64_t date, std::int64_t row, std::int64_t col) {
    const Window& w = event.window;
    return date >= event.first_date && date < event.first_date + event.n_dates && row >= w.row &&
           row < w.end_row() && col >= w.col && col < w.end_col();
}

// The vectors that the authors of Philox publish with their library.
TEST(Philox, GivesTheKnownAnswers) {
    const RandomWords zeros = philox(0, {0, 0, 0, 0});
    const RandomWords ones = philox(~std::uint64_t{0}, {~0U, ~0U, ~0U, ~0U});
    const RandomWords pi = philox(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344});

    EXPECT_EQ((std::array{zeros.a, zeros.b, zeros.c, zeros.d}),
              (std::array{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}));
    EXPECT_EQ((std::array{ones.a, ones.b, ones.c, ones.d}),
              (std::array{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU}));
    EXPECT_EQ((std::array{pi.a, pi.b, pi.c, pi.d}),
              (std::array{0xd16cfe09U, 0x94fdcceb, 0x5001e420U, 0x24126ea1U}));
}

TEST(UnitFloat, NeverReachesItsEnds) {
    EXPECT_GT(unit_float(0), 0.0F);
    EXPECT_LT(unit_float(~0U), 1.0F);
    EXPECT_GT(unit_double(0), 0.0);
    EXPECT_LT(unit_double(~0U), 1.0);
}

class Speckle : public testing::TestWithParam<double> {};

TEST_P(Speckle, HasMeanOneAndVarianceOneOverLooks) {
    const double looks = GetParam();
    constexpr std::int64_t kPixels = 400000;
    std::vector<float> values(kPixels);

    fill_speckle(17, 3, 4, 0, kPixels, looks, values.data());
    const Moments moments = moments_of(values);

    // Five standard errors. Of the mean: sqrt(var / n). Of the variance: sqrt((mu4 - var^2) / n), and a gamma
    // has mu4 = 3 var^2 + 6 var^3.
    const double variance = 1 / looks;
    const double n = kPixels;
    EXPECT_NEAR(moments.mean, 1, 5 * std::sqrt(variance / n));
    EXPECT_NEAR(moments.variance, variance,
                5 * std::sqrt((2 * variance * variance + 6 * std::pow(variance, 3)) / n));
    EXPECT_GT(*std::min_element(values.begin(), values.end()), 0);
}

INSTANTIATE_TEST_SUITE_P(Looks, Speckle, testing::Values(0.7, 1.0, 2.0, 3.0, 4.0, 4.5, 7.0, 32.0, 33.0));

TEST(FillSpeckle, IsTheSameFromAnyFirstColumn) {
    for (const double looks : {4.0, 5.0, 2.5}) {
        std::vector<float> whole(70);
        fill_speckle(1, 2, 3, 10, 70, looks, whole.data());
        for (const std::int64_t first : {1, 13, 37, 69}) {
            std::vector<float> part(static_cast<std::size_t>(70 - first));
            fill_speckle(1, 2, 3, 10 + first, 70 - first, looks, part.data());
            EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + first, same_bits))
                << "looks " << looks << ", first column " << first;
        }
    }
}

TEST(Scene, AnyWindowAndThreadCountGivesTheSamePixels) {
    SceneParams params = kSmall;
    params.nodata_fraction = 0.2;
    const Stack whole = render(params);

    for (const Window window : {Window{0, 0, 110, 1}, Window{31, 17, 33, 40}, Window{109, 89, 1, 1}}) {
        for (const int n_threads : {1, 3}) {
            const Stack part = render(params, window, n_threads);
            for (std::int64_t date = 0; date < params.n_dates; ++date) {
                for (std::int64_t row = window.row; row < window.end_row(); ++row) {
                    for (std::int64_t col = window.col; col < window.end_col(); ++col) {
                        const std::size_t i = part.index(date, row, col);
                        const std::size_t j = whole.index(date, row, col);
                        ASSERT_TRUE(same_bits(part.values[i], whole.values[j]))
                            << "date " << date << ", row " << row << ", col " << col;
                        ASSERT_EQ(part.truth[i], whole.truth[j]);
                    }
                }
            }
        }
    }
}

TEST(Scene, AnotherSeedGivesOtherPixels) {
    SceneParams other = kSmall;
    other.seed = 6;

    const Stack a = render(kSmall);
    const Stack b = render(other);

    EXPECT_EQ(std::equal(a.values.begin(), a.values.end(), b.values.begin(), same_bits), false);
    EXPECT_NE(a.truth, b.truth);
}

TEST(Scene, ANumberOfLooksIsMeanSquaredOverVarianceOfAHomogeneousField) {
    SceneParams params = kSmall;
    params.n_dates = 200;
    const Stack stack = render(params, {96, 40, 8, 8});  // on land, away from the coast
    double looks = 0;
    int n_fields = 0;

    for (std::int64_t date = 0; date < params.n_dates; ++date) {
        const auto first = static_cast<std::ptrdiff_t>(stack.index(date, 40, 96));
        const bool planted = std::any_of(stack.truth.begin() + first, stack.truth.begin() + first + 64,
                                         [](std::uint8_t value) { return value != 0; });
        if (planted) continue;
        const Moments moments = moments_of({stack.values.begin() + first, stack.values.begin() + first + 64});
        looks += moments.mean * moments.mean / moments.variance;
        ++n_fields;
    }

    ASSERT_GT(n_fields, 50);
    // The estimate from 64 pixels scatters by about 20%, its mean over the fields by less than 3%; it is
    // biased upwards by about 3%, and the texture inside 8 x 8 pixels lowers it by a few percent.
    EXPECT_NEAR(looks / n_fields, 4.0, 0.4);
}

TEST(Scene, LandIsEightTimesBrighterThanSea) {
    SceneParams params = kSmall;
    params.n_dates = 122;  // two seasons: their gain averages out
    const Stack stack = render(params);
    std::array<double, 2> sum = {};
    std::array<double, 2> n = {};

    for (std::int64_t date = 0; date < params.n_dates; ++date) {
        for (std::int64_t row = 0; row < params.n_rows; ++row) {
            for (const std::int64_t col : {1, 3, 5, 7, 9, 11, 100, 102, 104, 106, 108}) {
                const std::size_t i = stack.index(date, row, col);
                if (stack.truth[i] != 0) continue;
                const std::size_t side = col < 50 ? 0 : 1;
                sum[side] += stack.values[i];
                n[side] += 1;
            }
        }
    }

    EXPECT_NEAR(sum[0] / n[0], 0.02, 0.02 * 0.1);
    EXPECT_NEAR(sum[1] / n[1] / (sum[0] / n[0]), 8.0, 8.0 * 0.1);
}

TEST(Scene, TruthMarksTheEventsAndNothingElse) {
    const Stack stack = render(kSmall);
    const std::vector<PlantedEvent> events = Scene(kSmall).events();

    for (std::int64_t date = 0; date < kSmall.n_dates; ++date) {
        for (std::int64_t row = 0; row < kSmall.n_rows; ++row) {
            for (std::int64_t col = 0; col < kSmall.n_cols; ++col) {
                const auto kind = static_cast<EventKind>(stack.truth[stack.index(date, row, col)]);
                const auto covers = [&](EventKind wanted) {
                    return std::any_of(events.begin(), events.end(), [&](const PlantedEvent& event) {
                        return event.kind == wanted && holds(event, date, row, col);
                    });
                };
                if (kind != EventKind::None) {
                    ASSERT_TRUE(covers(kind)) << "date " << date << ", row " << row << ", col " << col;
                }
                ASSERT_EQ(covers(EventKind::Ship), kind == EventKind::Ship)
                    << "date " << date << ", row " << row << ", col " << col;
            }
        }
    }
    for (const std::uint8_t kind : {1, 2, 3}) EXPECT_GT(stack.count(kind), 0) << "kind " << int{kind};
}

TEST(Scene, EventsShowInTheValues) {
    SceneParams params = kSmall;
    params.looks = 1e6;  // no speckle to speak of
    const Stack stack = render(params);
    std::vector<double> quiet(static_cast<std::size_t>(params.n_rows * params.n_cols));
    std::vector<int> n_quiet(quiet.size());
    for (std::size_t i = 0; i < stack.values.size(); ++i) {
        if (stack.truth[i] != 0) continue;
        quiet[i % quiet.size()] += stack.values[i];
        ++n_quiet[i % quiet.size()];
    }

    std::array<double, 4> ratio = {};
    std::array<int, 4> n = {};
    for (std::size_t i = 0; i < stack.values.size(); ++i) {
        const std::size_t pixel = i % quiet.size();
        if (n_quiet[pixel] == 0) continue;
        ratio[stack.truth[i]] += stack.values[i] / (quiet[pixel] / n_quiet[pixel]);
        ++n[stack.truth[i]];
    }

    EXPECT_GT(ratio[1] / n[1], 20);                  // a ship of 3 on a sea of 0.02
    EXPECT_NEAR(ratio[2] / n[2], 4.0, 4.0 * 0.3);    // a storm, within the gains of the scenes
    EXPECT_NEAR(ratio[3] / n[3], 0.15, 0.15 * 0.3);  // a change
}

TEST(Scene, PlantsAsManyEventsAsItsSizeAsksFor) {
    const auto count = [](const SceneParams& params, EventKind kind) {
        const std::vector<PlantedEvent> events = Scene(params).events();
        return std::count_if(events.begin(), events.end(),
                             [&](const PlantedEvent& event) { return event.kind == kind; });
    };
    const SceneParams tiny = {.n_dates = 1, .n_rows = 8, .n_cols = 8};
    const SceneParams large = {.n_dates = 363, .n_rows = 200, .n_cols = 400};

    EXPECT_EQ(count(tiny, EventKind::Ship), 3);
    EXPECT_EQ(count(tiny, EventKind::Storm), 1);
    EXPECT_EQ(count(tiny, EventKind::Change), 1);
    EXPECT_EQ(count(large, EventKind::Ship), 200);
    EXPECT_EQ(count(large, EventKind::Storm), 3);
    EXPECT_EQ(count(large, EventKind::Change), 40);
}

TEST(Scene, ChangesLastThreeToSixtyDatesOfALongStack) {
    const SceneParams params = {.n_dates = 363, .n_rows = 300, .n_cols = 300};

    for (const PlantedEvent& event : Scene(params).events()) {
        if (event.kind != EventKind::Change) continue;
        EXPECT_GE(event.n_dates, 3);
        EXPECT_LE(event.n_dates, 60);
        EXPECT_LE(event.first_date + event.n_dates, 363);
    }
}

TEST(Scene, NodataSwathsAreOnTheAskedShareOfDatesAndMarkedInTheTruth) {
    SceneParams params = kSmall;
    params.nodata_fraction = 0.25;
    const Stack stack = render(params);
    std::vector<std::int64_t> dates;

    for (std::int64_t date = 0; date < params.n_dates; ++date) {
        std::int64_t n_nodata = 0;
        for (std::size_t i = stack.index(date, 0, 0); i < stack.index(date + 1, 0, 0); ++i) {
            ASSERT_EQ(std::isnan(stack.values[i]), stack.truth[i] == kTruthNodata);
            n_nodata += std::isnan(stack.values[i]) ? 1 : 0;
        }
        if (n_nodata > 0) dates.push_back(date);
        EXPECT_LT(n_nodata, params.n_rows * params.n_cols);
    }

    EXPECT_EQ(dates.size(), 10U);
    EXPECT_EQ(dates, Scene(params).swath_dates());
}

// Any change of the model changes these; then the stacks that others made by seed change too.
TEST(Scene, KnownMeansOfASeed) {
    const SceneParams params = {.n_dates = 4, .n_rows = 64, .n_cols = 64, .seed = 42};
    const Stack stack = render(params);

    std::vector<double> means;
    for (std::int64_t date = 0; date < params.n_dates; ++date) {
        double sum = 0;
        for (std::size_t i = stack.index(date, 0, 0); i < stack.index(date + 1, 0, 0); ++i) {
            sum += stack.values[i];
        }
        means.push_back(sum / (64 * 64));
    }

    EXPECT_NEAR(means[0], 0.1003889, 1e-6);
    EXPECT_NEAR(means[1], 0.1267048, 1e-6);
    EXPECT_NEAR(means[2], 0.1051955, 1e-6);
    EXPECT_NEAR(means[3], 0.0834100, 1e-6);
}

}  // namespace
}  // namespace rastertide
