// SPDX-License-Identifier: Apache-2.0
// K-Means of every backend against scikit-learn's tables (tests/oracles/make_kmeans_tables.py).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/patch_moments.hpp>
#include <rastertide/compute/weighted_kmeans.hpp>

#include "support/rasters.hpp"

namespace rastertide {
namespace {

using testing_support::Bands;

const std::string kTables = std::string(RASTERTIDE_TESTS_DIR) + "/oracles/tables/";

nlohmann::json cases() {
    std::ifstream file(kTables + "kmeans.json");
    return nlohmann::json::parse(file).at("cases");
}

std::vector<double> flat(const nlohmann::json& rows) {
    std::vector<double> values;
    for (const auto& row : rows) {
        for (const auto& value : row) values.push_back(value);
    }
    return values;
}

/// One entry of the tables with its rasters.
class Table {
  public:
    explicit Table(const std::string& name)
        : entry(cases().at(name)),
          patch(entry.at("patch")),
          n_bands(entry.at("bands")),
          max_iter(entry.at("max_iter")),
          tol(entry.at("tol")),
          iterations(entry.at("iterations")),
          inertia(entry.at("inertia")),
          start{patch, n_bands, entry.at("k"), flat(entry.at("start"))},
          centers{patch, n_bands, entry.at("k"), flat(entry.at("centers"))},
          image_(testing_support::read_bands(kTables + entry.at("input").get<std::string>() + ".tif")),
          labels_(testing_support::read_bands(kTables + name + "_labels.tif")) {}

    PixelStack pixels() const {
        return {image_.values.data(), image_.n_bands / n_bands, n_bands, image_.n_rows, image_.n_cols, 0, 0};
    }
    std::int64_t n_rows() const { return image_.n_rows - patch + 1; }
    std::int64_t n_cols() const { return image_.n_cols - patch + 1; }
    std::int64_t n_locations() const { return pixels().n_dates * n_rows() * n_cols(); }

    /// Of all patches, by date, row and column.
    std::vector<std::uint16_t> labels() const {
        std::vector<std::uint16_t> labels;
        for (std::int64_t i = 0; i < n_locations(); ++i) {
            const auto [date, row, col] = place(i);
            labels.push_back(static_cast<std::uint16_t>(labels_.at(date, row, col)));
        }
        return labels;
    }
    std::vector<float> patch_at(std::int64_t i) const {
        const auto [date, row, col] = place(i);
        std::vector<float> values;
        for (int band = 0; band < n_bands; ++band) {
            for (int y = row; y < row + patch; ++y) {
                for (int x = col; x < col + patch; ++x)
                    values.push_back(image_.at(date * static_cast<int>(n_bands) + band, y, x));
            }
        }
        return values;
    }
    /// All patches without NaN.
    WeightedPoints points() const {
        std::vector<float> values;
        for (std::int64_t i = 0; i < n_locations(); ++i) {
            const std::vector<float> patch_values = patch_at(i);
            if (std::ranges::any_of(patch_values, [](float value) { return std::isnan(value); })) continue;
            values.insert(values.end(), patch_values.begin(), patch_values.end());
        }
        const std::size_t n = values.size() / static_cast<std::size_t>(start.n_features());
        return {start.n_features(), std::move(values), std::vector<double>(n, 1)};
    }

    nlohmann::json entry;
    int patch;
    std::int64_t n_bands, max_iter;
    double tol;
    std::int64_t iterations;
    double inertia;
    PatchCenters start, centers;

  private:
    std::tuple<int, int, int> place(std::int64_t i) const {
        return {static_cast<int>(i / (n_rows() * n_cols())), static_cast<int>(i / n_cols() % n_rows()),
                static_cast<int>(i % n_cols())};
    }

    Bands image_, labels_;
};

FixedPoint fixed_of(const PixelStack& pixels) {
    double min = std::numeric_limits<double>::infinity(), max = -min;
    for (std::int64_t i = 0; i < pixels.n_dates * pixels.n_bands * pixels.n_rows * pixels.n_cols; ++i) {
        if (std::isnan(pixels.data[i])) continue;
        min = std::min(min, static_cast<double>(pixels.data[i]));
        max = std::max(max, static_cast<double>(pixels.data[i]));
    }
    return FixedPoint::for_range(min, max);
}

/// Mean over the features of their variance over all points.
double mean_variance(const WeightedPoints& points) {
    double total = 0;
    for (std::int64_t f = 0; f < points.n_features(); ++f) {
        double sum = 0, sum_sq = 0;
        for (std::int64_t i = 0; i < points.n(); ++i) {
            const auto value = static_cast<double>(points.point(i)[f]);
            sum += value;
            sum_sq += value * value;
        }
        const auto n = static_cast<double>(points.n());
        total += sum_sq / n - sum / n * (sum / n);
    }
    return total / static_cast<double>(points.n_features());
}

double shift_sq(const PatchCenters& a, const PatchCenters& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i)
        sum += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
    return sum;
}

/// The kernels of one backend on the stack of a table.
class Kernels {
  public:
    Kernels(const Table& table, Backend backend)
        : table_(table), fixed_(fixed_of(table.pixels())), options_{backend, 2} {}

    PatchSums assign(const PatchCenters& centers, std::vector<std::uint16_t>& labels) const {
        PatchSums sums(centers.n_clusters, centers.n_features());
        labels.assign(static_cast<std::size_t>(table_.n_locations()), 9999);
        assign_patches(table_.pixels(), centers, fixed_,
                       {labels.data(), table_.n_rows() * table_.n_cols(), table_.n_cols()}, &sums, options_);
        return sums;
    }
    std::vector<float> distances(const PatchCenters& centers) const {
        std::vector<float> distances(static_cast<std::size_t>(table_.n_locations()));
        patch_distances(table_.pixels(), centers,
                        {distances.data(), table_.n_rows() * table_.n_cols(), table_.n_cols()}, options_);
        return distances;
    }
    PatchCenters means(const PatchCenters& centers, const PatchSums& sums) const {
        return mean_centers(centers, sums, fixed_);
    }
    /// By sums and squares, relative to the offset of the fixed point.
    double energy(const PatchCenters& centers, const PatchSums& sums) const {
        SquareSum squares;
        PatchSums all(1, centers.n_features());
        add_patch_moments(table_.pixels(), table_.patch, fixed_, squares, all);
        long double energy = squares.value(fixed_);
        for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
            for (std::int64_t f = 0; f < centers.n_features(); ++f) {
                const long double center = static_cast<long double>(centers.center(k)[f]) - fixed_.offset;
                const auto sum = static_cast<long double>(sums.sums(k)[static_cast<std::size_t>(f)]);
                energy += center * (static_cast<long double>(sums.count(k)) * center -
                                    2 * sum / static_cast<long double>(fixed_.scale()));
            }
        }
        return static_cast<double>(energy);
    }

  private:
    const Table& table_;
    FixedPoint fixed_;
    ComputeOptions options_;
};

struct Fit {
    PatchCenters centers;
    std::vector<std::uint16_t> labels;
    double energy = 0;
    std::int64_t iterations = 0;
};

/// Lloyd's algorithm with scikit-learn's two ways to stop. No cluster may run empty.
Fit lloyd(const Table& table, const Kernels& kernels) {
    const double limit = table.tol * mean_variance(table.points());
    Fit fit{table.start, {}, 0, 0};
    std::vector<std::uint16_t> labels_before;
    while (fit.iterations < table.max_iter) {
        const PatchCenters before = fit.centers;
        fit.centers = kernels.means(before, kernels.assign(before, fit.labels));
        ++fit.iterations;
        if (fit.labels == labels_before || shift_sq(fit.centers, before) <= limit) break;
        labels_before = fit.labels;
    }
    fit.energy = kernels.energy(fit.centers, kernels.assign(fit.centers, fit.labels));
    return fit;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_NEAR(found[i], expected[i], 1e-5 * std::abs(expected[i])) << "value " << i;
}

double distance_sq(const std::vector<float>& patch, const double* center) {
    double sum = 0;
    for (std::size_t f = 0; f < patch.size(); ++f) {
        const double d = static_cast<double>(patch[f]) - center[f];
        sum += d * d;
    }
    return sum;
}

/// But where both centres are equally far within the rounding of floats.
void expect_labels_of(const Table& table, const std::vector<std::uint16_t>& found) {
    const std::vector<std::uint16_t> expected = table.labels();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i] == expected[i]) continue;
        ASSERT_NE(found[i], 0) << "patch " << i;
        ASSERT_NE(expected[i], 0) << "patch " << i;
        const std::vector<float> patch = table.patch_at(static_cast<std::int64_t>(i));
        EXPECT_NEAR(distance_sq(patch, table.centers.center(found[i] - 1)) /
                        distance_sq(patch, table.centers.center(expected[i] - 1)),
                    1, 1e-5)
            << "patch " << i;
    }
}

std::vector<std::string> names_of_cases(bool with_empty_clusters) {
    std::vector<std::string> names;
    const nlohmann::json all = cases();
    for (const auto& [name, entry] : all.items()) {
        if (entry.contains("relocated") == with_empty_clusters) names.push_back(name);
    }
    return names;
}

using Case = std::tuple<std::string, Backend>;

std::string name_of(const testing::TestParamInfo<Case>& param_info) {
    return std::get<0>(param_info.param) + "_" + std::string(to_string(std::get<1>(param_info.param)));
}

class KMeansOracles : public testing::TestWithParam<Case> {};

TEST_P(KMeansOracles, PatchesEndAsWithScikitLearn) {
    const Table table(std::get<0>(GetParam()));

    const Fit fit = lloyd(table, Kernels(table, std::get<1>(GetParam())));

    EXPECT_EQ(fit.iterations, table.iterations);
    expect_near(fit.centers.values, table.centers.values);
    expect_labels_of(table, fit.labels);
    EXPECT_NEAR(fit.energy / table.inertia, 1, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Tables, KMeansOracles,
                         testing::Combine(testing::ValuesIn(names_of_cases(false)),
                                          testing::ValuesIn(available_backends())),
                         name_of);

class EmptyClusterOracles : public testing::TestWithParam<Case> {};

TEST_P(EmptyClusterOracles, TheFarthestPatchesAreThoseThatScikitLearnMoves) {
    const Table table(std::get<0>(GetParam()));
    const Kernels kernels(table, std::get<1>(GetParam()));
    const std::vector<std::int64_t> moved = table.entry.at("relocated");
    const auto first_empty = table.start.n_clusters - static_cast<std::int64_t>(moved.size());

    std::vector<std::uint16_t> labels;
    const PatchSums sums = kernels.assign(table.start, labels);
    std::vector<float> distances = kernels.distances(table.start);

    for (std::int64_t k = 0; k < table.start.n_clusters; ++k) EXPECT_EQ(sums.count(k) == 0, k >= first_empty);
    std::ranges::replace_if(
        distances, [](float distance) { return std::isnan(distance); }, -1.0F);
    for (std::size_t i = 0; i < moved.size(); ++i) {
        const auto farthest = std::ranges::max_element(distances);
        ASSERT_EQ(farthest - distances.begin(), moved[i]);
        *farthest = 0;
        const std::vector<float> patch = table.patch_at(moved[i]);
        const double* center = table.centers.center(first_empty + static_cast<std::int64_t>(i));
        expect_near({patch.begin(), patch.end()}, {center, center + patch.size()});
    }
}

INSTANTIATE_TEST_SUITE_P(Tables, EmptyClusterOracles,
                         testing::Combine(testing::ValuesIn(names_of_cases(true)),
                                          testing::ValuesIn(available_backends())),
                         name_of);

class WeightedKMeansOracles : public testing::TestWithParam<Case> {};

TEST_P(WeightedKMeansOracles, PointsOfWeightOneEndAsWithScikitLearn) {
    const Table table(std::get<0>(GetParam()));
    const ComputeOptions options = {std::get<1>(GetParam()), 2};
    const WeightedPoints points = table.points();
    ASSERT_EQ(points.n(), table.entry.at("patches").get<std::int64_t>());

    const WeightedFit fit = weighted_lloyd(points, table.start.values, table.max_iter, table.tol, options);

    EXPECT_EQ(fit.iterations, table.iterations);
    expect_near(fit.centers, table.centers.values);
    EXPECT_NEAR(fit.energy / table.inertia, 1, 1e-6);
    std::vector<double> weights(fit.weights.size());
    for (const std::uint16_t label : table.labels()) {
        if (label != 0) ++weights[label - 1U];
    }
    EXPECT_EQ(fit.weights, weights);
}

INSTANTIATE_TEST_SUITE_P(Tables, WeightedKMeansOracles,
                         testing::Combine(testing::ValuesIn(names_of_cases(false)),
                                          testing::ValuesIn(available_backends())),
                         name_of);
INSTANTIATE_TEST_SUITE_P(EmptyClusters, WeightedKMeansOracles,
                         testing::Combine(testing::ValuesIn(names_of_cases(true)),
                                          testing::ValuesIn(available_backends())),
                         name_of);

}  // namespace
}  // namespace rastertide
