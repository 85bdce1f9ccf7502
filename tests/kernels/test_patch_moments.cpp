// SPDX-License-Identifier: Apache-2.0
// Numbers and sums of squares of a tile's patches against plain loops over the patches.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/patch_moments.hpp>
#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

__extension__ using Int128 = __int128;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
const FixedPoint kFixed = FixedPoint::for_range(-4, 20);

struct Stack {
    std::int64_t n_dates, n_bands, n_rows, n_cols;
    std::vector<float> values;

    float& at(std::int64_t date, std::int64_t band, std::int64_t row, std::int64_t col) {
        return values[index(date, band, row, col)];
    }
    float at(std::int64_t date, std::int64_t band, std::int64_t row, std::int64_t col) const {
        return values[index(date, band, row, col)];
    }
    PixelStack pixels() const { return {values.data(), n_dates, n_bands, n_rows, n_cols, 0, 0}; }

  private:
    std::size_t index(std::int64_t date, std::int64_t band, std::int64_t row, std::int64_t col) const {
        return static_cast<std::size_t>(((date * n_bands + band) * n_rows + row) * n_cols + col);
    }
};

Stack scene(std::int64_t n_dates, std::int64_t n_bands, std::int64_t n_rows, std::int64_t n_cols) {
    Stack stack{n_dates, n_bands, n_rows, n_cols, {}};
    std::mt19937 random(static_cast<unsigned>(n_rows + 7 * n_cols));
    std::uniform_real_distribution<float> value(-4, 20);
    for (std::int64_t i = 0; i < n_dates * n_bands * n_rows * n_cols; ++i)
        stack.values.push_back(value(random));
    return stack;
}

/// Rows and columns of a stack, at all dates.
Stack cut(const Stack& stack, std::int64_t row, std::int64_t col, std::int64_t n_rows, std::int64_t n_cols) {
    Stack part{stack.n_dates, stack.n_bands, n_rows, n_cols, {}};
    for (std::int64_t image = 0; image < stack.n_dates * stack.n_bands; ++image) {
        for (std::int64_t r = row; r < row + n_rows; ++r) {
            for (std::int64_t c = col; c < col + n_cols; ++c) part.values.push_back(stack.at(0, image, r, c));
        }
    }
    return part;
}

/// Band by band, row by row.
std::vector<float> patch_at(const Stack& stack, int patch_size, std::int64_t date, std::int64_t row,
                            std::int64_t col) {
    std::vector<float> patch;
    for (std::int64_t band = 0; band < stack.n_bands; ++band) {
        for (std::int64_t y = row; y < row + patch_size; ++y) {
            for (std::int64_t x = col; x < col + patch_size; ++x) patch.push_back(stack.at(date, band, y, x));
        }
    }
    return patch;
}

/// Every patch without NaN, by date, row and column.
std::vector<std::vector<float>> valid_patches(const Stack& stack, int patch_size) {
    std::vector<std::vector<float>> patches;
    for (std::int64_t date = 0; date < stack.n_dates; ++date) {
        for (std::int64_t row = 0; row + patch_size <= stack.n_rows; ++row) {
            for (std::int64_t col = 0; col + patch_size <= stack.n_cols; ++col) {
                std::vector<float> patch = patch_at(stack, patch_size, date, row, col);
                if (std::ranges::none_of(patch, [](float value) { return std::isnan(value); }))
                    patches.push_back(std::move(patch));
            }
        }
    }
    return patches;
}

struct Moments {
    std::int64_t n = 0;
    Int128 squares = 0;
    std::vector<std::int64_t> sums{};  ///< of each feature
    bool operator==(const Moments&) const = default;
};

std::int64_t n_features(const Stack& stack, int patch_size) {
    return stack.n_bands * patch_size * patch_size;
}

Moments plain_moments(const Stack& stack, int patch_size, const FixedPoint& fixed = kFixed) {
    Moments moments;
    moments.sums.resize(static_cast<std::size_t>(n_features(stack, patch_size)));
    for (const std::vector<float>& patch : valid_patches(stack, patch_size)) {
        ++moments.n;
        for (std::size_t f = 0; f < patch.size(); ++f) {
            const std::int64_t integer = fixed.to_integer(patch[f]);
            moments.squares += Int128{integer} * integer;
            moments.sums[f] += integer;
        }
    }
    return moments;
}

Int128 as_integer(SquareSum sum) {
    Int128 integer = 0;
    const auto limbs = sum.state();
    for (std::size_t i = limbs.size(); i-- > 0;) integer = (integer << 30) + limbs[i];
    return integer;
}

Moments moments_of(const Stack& stack, int patch_size, int n_threads = 2, const FixedPoint& fixed = kFixed) {
    SquareSum squares;
    PatchSums sums(1, n_features(stack, patch_size));
    add_patch_moments(stack.pixels(), patch_size, fixed, squares, sums, n_threads);
    return {sums.count(0), as_integer(squares), {sums.sums(0).begin(), sums.sums(0).end()}};
}

void expect_plain_moments(const Stack& stack, int patch_size) {
    EXPECT_TRUE(moments_of(stack, patch_size) == plain_moments(stack, patch_size));
}

TEST(PatchMoments, SixPixelsByHand) {
    const Stack stack{1, 1, 1, 6, {0, 2, 2.5F, 3, kNaN, 9}};
    FixedPoint halves;
    halves.offset = 1;
    halves.exponent = 1;
    SquareSum squares;
    PatchSums sums(1, 1);
    add_patch_moments(stack.pixels(), 1, halves, squares, sums);
    EXPECT_EQ(sums.count(0), 5);
    EXPECT_EQ(sums.sums(0)[0], -2 + 2 + 3 + 4 + 16);
    EXPECT_EQ(squares.value(halves), 1 + 1 + 2.25L + 4 + 64);
}

using Size = std::tuple<int, int, int>;  // patch, bands, rows and columns beyond one patch
class PatchMomentsSizes : public testing::TestWithParam<Size> {
  protected:
    int patch() const { return std::get<0>(GetParam()); }
    Stack stack() const {
        const auto& [patch, n_bands, more] = GetParam();
        return scene(3, n_bands, patch + more, patch + 2 * more);
    }
};

TEST_P(PatchMomentsSizes, AreThoseOfAPlainLoop) {
    const Moments moments = moments_of(stack(), patch());
    EXPECT_TRUE(moments == plain_moments(stack(), patch()));
    const std::int64_t more = std::get<2>(GetParam());
    EXPECT_EQ(moments.n, 3 * (more + 1) * (2 * more + 1));
}

TEST_P(PatchMomentsSizes, LeaveOutPatchesWithANanInACorner) {
    Stack some = stack();
    const std::int64_t last_band = some.n_bands - 1, row = some.n_rows - 1, col = some.n_cols - 1;
    some.at(0, 0, 0, 0) = kNaN;
    some.at(1, last_band, 0, col) = kNaN;
    some.at(1, 0, row, 0) = kNaN;
    some.at(2, last_band, row, col) = kNaN;
    expect_plain_moments(some, patch());
}

TEST_P(PatchMomentsSizes, LeaveOutPatchesWithANanInTheMiddle) {
    Stack some = stack();
    some.at(1, some.n_bands / 2, some.n_rows / 2, some.n_cols / 2) = kNaN;
    expect_plain_moments(some, patch());
}

TEST_P(PatchMomentsSizes, LeaveOutRowsAndColumnsOfNans) {
    Stack some = stack();
    for (std::int64_t col = 0; col < some.n_cols; ++col) some.at(0, 0, some.n_rows / 3, col) = kNaN;
    for (std::int64_t row = 0; row < some.n_rows; ++row) some.at(2, 0, row, some.n_cols / 3) = kNaN;
    expect_plain_moments(some, patch());
}

TEST_P(PatchMomentsSizes, LeaveOutScatteredNans) {
    Stack some = stack();
    std::mt19937 random(3);
    for (float& value : some.values) {
        if (random() % static_cast<unsigned>(3 * patch() * patch()) == 0) value = kNaN;
    }
    expect_plain_moments(some, patch());
}

TEST_P(PatchMomentsSizes, AreNoneWhereAllIsNan) {
    Stack some = stack();
    for (float& value : some.values) value = kNaN;
    const Moments moments = moments_of(some, patch());
    EXPECT_EQ(moments.n, 0);
    EXPECT_TRUE(moments == plain_moments(some, patch()));
}

TEST_P(PatchMomentsSizes, OfIntegersBeyond31BitsAreThoseOfAPlainLoop) {
    Stack some = stack();
    some.at(1, 0, some.n_rows / 2, some.n_cols / 2) = kNaN;
    const FixedPoint wide = FixedPoint::for_range(-4, 20, FixedPoint::kMostBits);
    EXPECT_TRUE(moments_of(some, patch(), 2, wide) == plain_moments(some, patch(), wide));
}

TEST_P(PatchMomentsSizes, ThreadsChangeNoBit) {
    EXPECT_TRUE(moments_of(stack(), patch(), 1) == moments_of(stack(), patch(), 2));
}

INSTANTIATE_TEST_SUITE_P(Patches, PatchMomentsSizes,
                         testing::Combine(testing::Values(1, 3, 7, 31), testing::Values(1, 3),
                                          testing::Values(0, 1, 9)));

TEST(PatchMoments, AddUpOverTilesThatShareTheirHalo) {
    Stack stack = scene(2, 2, 30, 41);
    stack.at(1, 0, 14, 17) = kNaN;
    for (const int patch : {1, 3, 7}) {
        const Moments whole = moments_of(stack, patch);
        const Moments upper = moments_of(cut(stack, 0, 0, 12 + patch - 1, 41), patch);
        const Moments lower_left = moments_of(cut(stack, 12, 0, 18, 15 + patch - 1), patch);
        const Moments lower_right = moments_of(cut(stack, 12, 15, 18, 26), patch);
        EXPECT_EQ(upper.n + lower_left.n + lower_right.n, whole.n);
        EXPECT_TRUE(upper.squares + lower_left.squares + lower_right.squares == whole.squares);
    }
}

TEST(PatchMoments, AreAddedToWhatIsThere) {
    const Stack stack = scene(2, 1, 9, 9);
    SquareSum squares;
    PatchSums sums(1, 9);
    for (int i = 0; i < 2; ++i) add_patch_moments(stack.pixels(), 3, kFixed, squares, sums);
    const Moments once = plain_moments(stack, 3);
    EXPECT_TRUE(as_integer(squares) == 2 * once.squares);
    EXPECT_EQ(sums.count(0), 2 * once.n);
    for (std::size_t f = 0; f < once.sums.size(); ++f) EXPECT_EQ(sums.sums(0)[f], 2 * once.sums[f]);
}

PatchCenters some_centers(int patch_size, std::int64_t n_bands, std::int64_t n_clusters) {
    PatchCenters centers{patch_size, n_bands, n_clusters, {}};
    std::mt19937 random(5);
    std::uniform_real_distribution<double> value(2, 14);
    for (std::int64_t i = 0; i < n_clusters * centers.n_features(); ++i)
        centers.values.push_back(value(random));
    return centers;
}

/// Energy of sums and squares: sum ||p||^2 - 2 sum <c, S> + sum n ||c||^2, relative to the offset.
double energy_of(const PatchCenters& centers, const PatchSums& sums, const SquareSum& squares) {
    long double energy = squares.value(kFixed);
    for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
        const auto sum = sums.sums(k);
        for (std::int64_t f = 0; f < centers.n_features(); ++f) {
            const long double c = static_cast<long double>(centers.center(k)[f]) - kFixed.offset;
            const long double total =
                static_cast<long double>(sum[static_cast<std::size_t>(f)]) / kFixed.scale();
            energy += c * (static_cast<long double>(sums.count(k)) * c - 2 * total);
        }
    }
    return static_cast<double>(energy);
}

double plain_energy(const Stack& stack, const PatchCenters& centers) {
    double energy = 0;
    for (const std::vector<float>& patch : valid_patches(stack, centers.patch_size)) {
        double nearest = std::numeric_limits<double>::infinity();
        for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
            double distance_sq = 0;
            for (std::size_t f = 0; f < patch.size(); ++f) {
                const double d = static_cast<double>(patch[f]) - centers.center(k)[f];
                distance_sq += d * d;
            }
            nearest = std::min(nearest, distance_sq);
        }
        energy += nearest;
    }
    return energy;
}

TEST(PatchMoments, GiveTheEnergyWithTheSumsOfTheClusters) {
    Stack stack = scene(2, 2, 25, 40);
    stack.at(0, 1, 12, 20) = kNaN;
    for (const int patch : {1, 3, 7}) {
        const PatchCenters centers = some_centers(patch, 2, 5);
        SquareSum squares;
        PatchSums all(1, centers.n_features());
        add_patch_moments(stack.pixels(), patch, kFixed, squares, all);
        for (const Backend backend : available_backends()) {
            PatchSums sums(5, centers.n_features());
            assign_patches(stack.pixels(), centers, kFixed, {}, &sums, {backend, 2});
            EXPECT_NEAR(energy_of(centers, sums, squares) / plain_energy(stack, centers), 1, 1e-9)
                << to_string(backend) << ", patch " << patch;
        }
    }
}

TEST(PatchMoments, TilesWithoutAPatchAreRefused) {
    const Stack stack = scene(1, 1, 6, 9);
    SquareSum squares;
    PatchSums sums(1, 9);
    for (const int patch_size : {7, 0, 33}) {
        EXPECT_THROW(add_patch_moments(stack.pixels(), patch_size, kFixed, squares, sums), InvalidArgument);
    }
    EXPECT_THROW(add_patch_moments(stack.pixels(), 5, kFixed, squares, sums),
                 InvalidArgument);  // 25 features
}

}  // namespace
}  // namespace rastertide
