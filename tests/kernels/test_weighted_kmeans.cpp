// SPDX-License-Identifier: Apache-2.0
// K-Means of weighted points in memory: k-means++, Lloyd and mini-batches.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/compute/weighted_kmeans.hpp>
#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

const ComputeOptions kOneThread = {Backend::Auto, 1}, kTwoThreads = {Backend::Auto, 2};

struct Sample {
    std::int64_t n_features;
    std::vector<float> values;
    std::vector<double> weights;

    std::int64_t n() const { return static_cast<std::int64_t>(weights.size()); }
    double at(std::int64_t i, std::int64_t f) const {
        return static_cast<double>(values[static_cast<std::size_t>(i * n_features + f)]);
    }
    WeightedPoints points() const { return {n_features, values, weights}; }
};

/// Points around k corners of a grid of 100, with standard deviation 1. The weights are of quarters: not all
/// sums of them are the same in any order of doubles, but means are easily told.
Sample blobs(std::int64_t k, std::int64_t n_per_blob, std::int64_t n_features) {
    Sample sample{n_features, {}, {}};
    std::mt19937 random(17);
    std::normal_distribution<float> noise(0, 1);
    for (std::int64_t i = 0; i < k * n_per_blob; ++i) {
        const std::int64_t blob = i % k;
        for (std::int64_t f = 0; f < n_features; ++f) {
            const auto level = static_cast<float>(100 * ((f == 0 ? blob : blob * (f + 3)) % 17));
            sample.values.push_back(level + noise(random));
        }
        sample.weights.push_back(0.25 * static_cast<double>(1 + random() % 8));
    }
    return sample;
}

Sample speckle(std::int64_t n, std::int64_t n_features, unsigned seed = 1) {
    Sample sample{n_features, {}, {}};
    std::mt19937 random(seed);
    std::gamma_distribution<float> value(4.0F, 0.25F);
    std::uniform_real_distribution<double> weight(0.5, 3);
    for (std::int64_t i = 0; i < n * n_features; ++i) sample.values.push_back(value(random));
    for (std::int64_t i = 0; i < n; ++i) sample.weights.push_back(weight(random));
    return sample;
}

std::vector<double> first_points(const Sample& sample, std::int64_t k) {
    return {sample.values.begin(), sample.values.begin() + k * sample.n_features};
}

double distance_sq(const Sample& sample, std::int64_t i, const std::vector<double>& centers, std::int64_t k) {
    double sum = 0;
    for (std::int64_t f = 0; f < sample.n_features; ++f) {
        const double d = sample.at(i, f) - centers[static_cast<std::size_t>(k * sample.n_features + f)];
        sum += d * d;
    }
    return sum;
}

double nearest_sq(const Sample& sample, std::int64_t i, const std::vector<double>& centers) {
    double nearest = std::numeric_limits<double>::infinity();
    const auto k = static_cast<std::int64_t>(centers.size()) / sample.n_features;
    for (std::int64_t c = 0; c < k; ++c) nearest = std::min(nearest, distance_sq(sample, i, centers, c));
    return nearest;
}

double plain_energy(const Sample& sample, const std::vector<double>& centers) {
    double energy = 0;
    for (std::int64_t i = 0; i < sample.n(); ++i)
        energy += sample.weights[static_cast<std::size_t>(i)] * nearest_sq(sample, i, centers);
    return energy;
}

std::vector<double> weighted_mean(const Sample& sample) {
    std::vector<double> mean(static_cast<std::size_t>(sample.n_features), 0);
    const double weight = std::accumulate(sample.weights.begin(), sample.weights.end(), 0.0);
    for (std::int64_t i = 0; i < sample.n(); ++i) {
        for (std::int64_t f = 0; f < sample.n_features; ++f) {
            mean[static_cast<std::size_t>(f)] +=
                sample.weights[static_cast<std::size_t>(i)] / weight * sample.at(i, f);
        }
    }
    return mean;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected, double relative) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_NEAR(found[i], expected[i], relative * std::abs(expected[i])) << i;
}

bool all_finite(const std::vector<double>& values) {
    return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

double sum_of(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(WeightedPointsTest, RefuseWhatIsNoSample) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_THROW(WeightedPoints(1, {}, {}), InvalidArgument);
    EXPECT_THROW(WeightedPoints(0, {}, {1}), InvalidArgument);
    EXPECT_THROW(WeightedPoints(2, {1, 2, 3}, {1, 1}), InvalidArgument);
    EXPECT_THROW(WeightedPoints(1, {1, nan}, {1, 1}), InvalidArgument);
    EXPECT_THROW(WeightedPoints(1, {1, 2}, {1, 0}), InvalidArgument);
    EXPECT_THROW(WeightedPoints(1, {1, 2}, {1, -1}), InvalidArgument);
    EXPECT_THROW(WeightedPoints(1, {1, 2}, {infinity, 1}), InvalidArgument);
}

class WeightedPointsSizes : public testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(WeightedPointsSizes, LabelsAndDistancesAreThoseOfAPlainLoop) {
    const auto& [n, n_features] = GetParam();
    const Sample sample = speckle(n, n_features);
    const Sample other = speckle(5, n_features, 2);
    const std::vector<double> values = first_points(other, 5);
    const PatchCenters centers{1, n_features, 5, values};
    const WeightedPoints points = sample.points();
    for (const Backend backend : available_backends()) {
        const std::vector<std::uint16_t> labels = points.assign(centers, {backend, 2});
        const std::vector<float> distances = points.distances(centers, {backend, 2});
        ASSERT_EQ(labels.size(), static_cast<std::size_t>(n));
        ASSERT_EQ(distances.size(), static_cast<std::size_t>(n));
        for (std::int64_t i = 0; i < n; ++i) {
            const auto at = static_cast<std::size_t>(i);
            const double nearest = nearest_sq(sample, i, values);
            ASSERT_NE(labels[at], 0);
            EXPECT_NEAR(distance_sq(sample, i, values, labels[at] - 1), nearest, 1e-5 * nearest) << i;
            EXPECT_NEAR(distances[at], nearest, 1e-5 * nearest) << i;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Blocks, WeightedPointsSizes,
                         testing::Combine(testing::Values(1, 2, 511, 512, 513, 1300),
                                          testing::Values(1, 3, 49, 700)));

TEST(KMeansPlusPlus, CentersArePoints) {
    const Sample sample = speckle(600, 3);
    const std::vector<double> centers = kmeans_plusplus(sample.points(), 300, 4, kTwoThreads);
    ASSERT_EQ(centers.size(), 900U);
    for (std::int64_t k = 0; k < 300; ++k) {
        double nearest = std::numeric_limits<double>::infinity();
        for (std::int64_t i = 0; i < sample.n(); ++i)
            nearest = std::min(nearest, distance_sq(sample, i, centers, k));
        ASSERT_EQ(nearest, 0) << k;
    }
}

TEST(KMeansPlusPlus, PointsAreDrawnOnce) {
    // As many distinct points as centres: at distance 0, no point is drawn again.
    const Sample sample = speckle(40, 2);
    const std::vector<double> centers = kmeans_plusplus(sample.points(), 40, 9, kOneThread);
    EXPECT_EQ(plain_energy(sample, centers), 0);
}

TEST(KMeansPlusPlus, SeedsDecide) {
    const WeightedPoints points = speckle(17000, 64).points();  // enough to be shared by threads
    const std::vector<double> centers = kmeans_plusplus(points, 10, 1, kOneThread);
    EXPECT_EQ(kmeans_plusplus(points, 10, 1, kOneThread), centers);
    EXPECT_EQ(kmeans_plusplus(points, 10, 1, kTwoThreads), centers);
    EXPECT_NE(kmeans_plusplus(points, 10, 2, kOneThread), centers);
    EXPECT_NE(kmeans_plusplus(points, 10, (std::uint64_t{1} << 32) + 1, kOneThread), centers);
}

TEST(KMeansPlusPlus, TheFirstCenterIsDrawnByWeight) {
    const WeightedPoints points(1, {0, 1, 2, 3}, {1, 2, 3, 4});
    std::vector<int> counts(4);
    constexpr int kDraws = 4000;
    for (std::uint64_t seed = 0; seed < kDraws; ++seed)
        ++counts[static_cast<std::size_t>(kmeans_plusplus(points, 1, seed, kOneThread)[0])];
    // 5 standard deviations of a binomial count, at most.
    for (int i = 0; i < 4; ++i)
        EXPECT_NEAR(counts[static_cast<std::size_t>(i)], kDraws * (i + 1) / 10.0, 155) << i;
}

TEST(KMeansPlusPlus, TheNextCenterIsTheBestOfTwoDrawnByWeightTimesDistance) {
    // Nearly always the first centre is the heavy point at 0, and then its own distance is 0. The others are
    // left with w d^2 of 1, 2 and 5: shares of 1/8, 2/8 and 5/8. Of two (k = 2: 2 + log 2 trials) the one
    // that leaves less is taken. What point 3 would leave is 1 + 2, points 1 or 2 more: with 3 among the
    // two, 3.
    const WeightedPoints points(2, {0, 0, -1, 0, 0, 1, 1, 0}, {1e9, 1, 2, 5});
    constexpr int kDraws = 4000;
    std::vector<int> counts(4);
    for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
        const std::vector<double> centers = kmeans_plusplus(points, 2, seed, kOneThread);
        for (std::int64_t i = 0; i < 4; ++i) {
            const float* point = points.point(i);
            if (centers[2] == point[0] && centers[3] == point[1]) ++counts[static_cast<std::size_t>(i)];
        }
    }
    // Point 1 leaves 2 + 5, point 2 leaves 1 + 5: 2 goes before 1.
    const double p3 = 1 - 9.0 / 64, p1 = 1.0 / 64;
    EXPECT_EQ(counts[0], 0);
    EXPECT_NEAR(counts[1], kDraws * p1, 5 * std::sqrt(kDraws * p1 * (1 - p1)));
    EXPECT_NEAR(counts[2], kDraws * (1 - p1 - p3), 5 * std::sqrt(kDraws * (p1 + p3) * (1 - p1 - p3)));
    EXPECT_NEAR(counts[3], kDraws * p3, 5 * std::sqrt(kDraws * p3 * (1 - p3)));
}

TEST(KMeansPlusPlus, FewerDistinctPointsThanCentersAreRepeated) {
    const WeightedPoints points(1, {2, 2, 5, 5, 5}, {1, 1, 1, 1, 1});
    std::vector<double> centers = kmeans_plusplus(points, 4, 3, kOneThread);
    ASSERT_EQ(centers.size(), 4U);
    EXPECT_EQ(std::ranges::count(centers, 2.0) + std::ranges::count(centers, 5.0), 4);
    EXPECT_GE(std::ranges::count(centers, 2.0), 1);
    EXPECT_GE(std::ranges::count(centers, 5.0), 1);
}

TEST(KMeansPlusPlus, NeedsACenter) {
    EXPECT_THROW(kmeans_plusplus(speckle(5, 1).points(), 0, 0, kOneThread), InvalidArgument);
}

TEST(WeightedLloyd, FivePointsByHand) {
    // {0, 2} and {7, 10, 10}: weights 1, 3 and 2, 1, 1.
    const WeightedPoints points(1, {0, 2, 7, 10, 10}, {1, 3, 2, 1, 1});
    const WeightedFit fit = weighted_lloyd(points, {1, 9}, 10, 0, kOneThread);
    EXPECT_EQ(fit.centers, (std::vector<double>{1.5, 8.5}));
    EXPECT_EQ(fit.weights, (std::vector<double>{4, 4}));
    EXPECT_EQ(fit.energy, 2.25 + 3 * 0.25 + 2 * 2.25 + 2.25 + 2.25);
    EXPECT_EQ(fit.iterations, 2);
}

TEST(WeightedLloyd, WeightsArePointsRepeated) {
    Sample once = speckle(700, 5), repeated{5, {}, {}};
    for (std::size_t i = 0; i < once.weights.size(); ++i) {
        once.weights[i] = 1 + static_cast<double>(i % 3);
        for (int copy = 0; copy < once.weights[i]; ++copy) {
            const auto point = once.values.begin() + static_cast<std::ptrdiff_t>(5 * i);
            repeated.values.insert(repeated.values.end(), point, point + 5);
            repeated.weights.push_back(1);
        }
    }
    const std::vector<double> start = first_points(once, 6);
    const WeightedFit found = weighted_lloyd(once.points(), start, 20, 1e-6, kTwoThreads);
    const WeightedFit expected = weighted_lloyd(repeated.points(), start, 20, 1e-6, kTwoThreads);
    expect_near(found.centers, expected.centers, 1e-6);
    expect_near(found.weights, expected.weights, 1e-12);
    EXPECT_NEAR(found.energy / expected.energy, 1, 1e-6);
    EXPECT_EQ(found.iterations, expected.iterations);
}

TEST(WeightedLloyd, OneClusterIsTheWeightedMean) {
    const Sample sample = speckle(777, 9);
    const WeightedFit fit = weighted_lloyd(sample.points(), first_points(sample, 1), 10, 0, kTwoThreads);
    expect_near(fit.centers, weighted_mean(sample), 1e-12);
    expect_near(fit.weights, {sum_of(sample.weights)}, 1e-12);
    EXPECT_NEAR(fit.energy / plain_energy(sample, fit.centers), 1, 1e-6);
}

TEST(WeightedLloyd, EnergyAndWeightsBelongToTheCenters) {
    for (const std::int64_t n_features : {1, 700}) {
        const Sample sample = speckle(1030, n_features);
        const WeightedFit fit = weighted_lloyd(sample.points(), first_points(sample, 7), 5, 0, kTwoThreads);
        EXPECT_NEAR(fit.energy / plain_energy(sample, fit.centers), 1, 1e-5) << n_features;
        EXPECT_NEAR(sum_of(fit.weights) / sum_of(sample.weights), 1, 1e-12) << n_features;
        EXPECT_EQ(fit.weights.size(), 7U);
    }
}

TEST(WeightedLloyd, EnergyNeverRises) {
    const Sample sample = speckle(900, 6);
    double before = std::numeric_limits<double>::infinity();
    for (std::int64_t iterations = 0; iterations < 15; ++iterations) {
        const WeightedFit fit =
            weighted_lloyd(sample.points(), first_points(sample, 8), iterations, 0, kTwoThreads);
        EXPECT_EQ(fit.iterations, iterations);
        EXPECT_LE(fit.energy, before * (1 + 1e-7));
        before = fit.energy;
    }
}

class WellSeparatedBlobs : public testing::TestWithParam<std::tuple<int, int, int>> {};

TEST_P(WellSeparatedBlobs, AreFoundFromAnySeed) {
    const auto& [k, n_features, seed] = GetParam();
    const Sample sample = blobs(k, 130, n_features);
    const WeightedPoints points = sample.points();
    const auto start = kmeans_plusplus(points, k, static_cast<std::uint64_t>(seed), kTwoThreads);
    const WeightedFit fit = weighted_lloyd(points, start, 50, 1e-4, kTwoThreads);
    // A point is at n_features from the mean of its blob, on average: two blobs as one would be at 2500.
    EXPECT_NEAR(fit.energy / (sum_of(sample.weights) * n_features), 1, 0.15);
    EXPECT_LE(fit.iterations, 3);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WellSeparatedBlobs,
                         testing::Combine(testing::Values(2, 5, 11), testing::Values(1, 4, 49),
                                          testing::Range(0, 8)));

TEST(WeightedLloyd, AsManyPointsAsClustersLeaveNoEnergy) {
    const Sample sample = speckle(30, 4);
    const WeightedPoints points = sample.points();
    const auto start = kmeans_plusplus(points, 30, 5, kOneThread);
    const WeightedFit fit = weighted_lloyd(points, start, 10, 0, kOneThread);
    EXPECT_EQ(fit.energy, 0);
    EXPECT_NEAR(sum_of(fit.weights), sum_of(sample.weights), 1e-12);
}

TEST(WeightedLloyd, FewerDistinctPointsThanClustersLeaveNoEnergy) {
    Sample sample{2, {}, {}};
    for (int i = 0; i < 60; ++i) {
        sample.values.insert(sample.values.end(), {0.1F * static_cast<float>(i % 3), 7.3F});
        sample.weights.push_back(0.3 + i % 4);
    }
    const WeightedPoints points = sample.points();
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const auto start = kmeans_plusplus(points, 8, seed, kOneThread);
        const WeightedFit fit = weighted_lloyd(points, start, 20, 0, kOneThread);
        EXPECT_EQ(fit.energy, 0);
        EXPECT_TRUE(all_finite(fit.centers));
        EXPECT_NEAR(sum_of(fit.weights), sum_of(sample.weights), 1e-9);
    }
}

TEST(WeightedLloyd, FewerPointsThanClustersFromAFarStartLeaveNoEnergy) {
    const WeightedPoints points(1, {1, 2, 3}, {0.1, 0.2, 0.3});
    const WeightedFit fit = weighted_lloyd(points, {1000, 1001, 1002, 1003, 1004}, 20, 0, kOneThread);
    EXPECT_TRUE(all_finite(fit.centers));
    EXPECT_EQ(fit.energy, 0);
    EXPECT_EQ(std::ranges::count(fit.weights, 0.0), 2);
}

TEST(WeightedLloyd, AnEmptyClusterTakesTheFarthestPoint) {
    // All are the first centre's: 20 is farthest from it.
    const WeightedPoints points(1, {0, 1, 2, 20}, {1, 1, 1, 2});
    const WeightedFit fit = weighted_lloyd(points, {1, -500}, 1, 0, kOneThread);
    EXPECT_EQ(fit.centers, (std::vector<double>{1, 20}));
    EXPECT_EQ(fit.weights, (std::vector<double>{3, 2}));
    EXPECT_EQ(fit.energy, 2);
}

TEST(WeightedLloyd, EmptyClustersTakeTheFarthestPointsInOrder) {
    const WeightedPoints points(1, {0, 30, 1, 20, 2, 25}, {1, 1, 1, 1, 1, 1});
    const WeightedFit fit = weighted_lloyd(points, {900, 1, 901, 902}, 1, 0, kOneThread);
    EXPECT_EQ(fit.centers, (std::vector<double>{30, 1, 25, 20}));
}

TEST(WeightedLloyd, AnEmptyClusterStaysWhereNoPointIsAwayFromItsCenter) {
    const WeightedPoints points(1, {1, 1, 1, 4, 4}, {1, 1, 1, 1, 1});
    const WeightedFit fit = weighted_lloyd(points, {1, 50, 4}, 5, 0, kOneThread);
    EXPECT_EQ(fit.centers, (std::vector<double>{1, 50, 4}));
    EXPECT_EQ(fit.weights, (std::vector<double>{3, 0, 2}));
    EXPECT_EQ(fit.iterations, 1);
}

TEST(WeightedLloyd, APointAloneInItsClusterIsNotTakenFromIt) {
    // 50 is farthest from its centre and alone; then comes 9, whose weights leave a rest when subtracted:
    // 0.1 + 0.2 + 0.3 - 0.1 - 0.2 is not 0.3.
    const WeightedPoints points(1, {0, 1, 9, 50}, {0.1, 0.2, 0.3, 7});
    const WeightedFit fit = weighted_lloyd(points, {0, 70, 1000}, 1, 0, kOneThread);
    EXPECT_NEAR(fit.centers[0], 0.2 / 0.3, 1e-12);
    EXPECT_EQ(fit.centers[1], 50);
    EXPECT_EQ(fit.centers[2], 9);
}

TEST(WeightedLloyd, ManyClustersAndAFarStartFillAllOfThem) {
    const Sample sample = speckle(2000, 3);
    std::vector<double> start = first_points(sample, 300);
    for (std::size_t i = 300; i < start.size(); ++i) start[i] += 1000;
    const WeightedFit fit = weighted_lloyd(sample.points(), start, 30, 0, kTwoThreads);
    EXPECT_TRUE(all_finite(fit.centers));
    EXPECT_EQ(std::ranges::count(fit.weights, 0.0), 0);
    EXPECT_NEAR(fit.energy / plain_energy(sample, fit.centers), 1, 1e-5);
    const auto spread = kmeans_plusplus(sample.points(), 300, 1, kTwoThreads);
    const WeightedFit usual = weighted_lloyd(sample.points(), spread, 30, 0, kTwoThreads);
    EXPECT_LT(fit.energy, 2 * usual.energy);
}

TEST(WeightedLloyd, ThreadsChangeNoBit) {
    const WeightedPoints points = speckle(3000, 49).points();
    const auto start = kmeans_plusplus(points, 20, 3, kOneThread);
    const WeightedFit one = weighted_lloyd(points, start, 12, 1e-6, kOneThread);
    const WeightedFit two = weighted_lloyd(points, start, 12, 1e-6, kTwoThreads);
    EXPECT_EQ(two.centers, one.centers);
    EXPECT_EQ(two.weights, one.weights);
    EXPECT_EQ(two.energy, one.energy);
    EXPECT_EQ(two.iterations, one.iterations);
}

TEST(WeightedLloyd, BackendsAgree) {
    const Sample sample = blobs(6, 100, 5);
    const std::vector<double> start = first_points(sample, 6);
    const WeightedFit expected = weighted_lloyd(sample.points(), start, 10, 1e-4, {Backend::Reference, 2});
    const WeightedFit found = weighted_lloyd(sample.points(), start, 10, 1e-4, {Backend::Cpu, 2});
    EXPECT_EQ(found.centers, expected.centers);
    EXPECT_EQ(found.iterations, expected.iterations);
    EXPECT_NEAR(found.energy / expected.energy, 1, 1e-5);
}

TEST(WeightedLloyd, StopsAtTolTimesTheMeanVariance) {
    // Features of variances 0.25 x 100^2 and 0.25 x 20^2: their mean is 1300. The first step moves centre 1
    // by 10 and 2, centre 2 by 30 and 4: squares of 1020 in all.
    const WeightedPoints points(2, {0, 0, 0, 0, 100, 20, 100, 20}, {1, 1, 1, 1});
    const std::vector<double> start = {10, 2, 130, 24};
    const double one = 1020.0 / 1300.0;
    EXPECT_EQ(weighted_lloyd(points, start, 10, one * 1.0001, kOneThread).iterations, 1);
    EXPECT_EQ(weighted_lloyd(points, start, 10, one * 0.9999, kOneThread).iterations, 2);
    EXPECT_EQ(weighted_lloyd(points, start, 10, 0, kOneThread).iterations, 2);
    EXPECT_EQ(weighted_lloyd(points, start, 1, 0, kOneThread).iterations, 1);
}

TEST(WeightedLloyd, VarianceOfTheStopIsWeighted) {
    // Weighted mean 25, variance 1875; the step is 30 and 10: 1000.
    const WeightedPoints points(1, {0, 100}, {3, 1});
    const double one = 1000.0 / 1875.0;
    EXPECT_EQ(weighted_lloyd(points, {-30, 110}, 10, one * 1.0001, kOneThread).iterations, 1);
    EXPECT_EQ(weighted_lloyd(points, {-30, 110}, 10, one * 0.9999, kOneThread).iterations, 2);
}

TEST(WeightedLloyd, WithoutIterationsKeepsItsStart) {
    const Sample sample = speckle(50, 2);
    const WeightedFit fit = weighted_lloyd(sample.points(), first_points(sample, 3), 0, 0, kOneThread);
    EXPECT_EQ(fit.centers, first_points(sample, 3));
    EXPECT_EQ(fit.iterations, 0);
    EXPECT_NEAR(fit.energy / plain_energy(sample, fit.centers), 1, 1e-5);
}

TEST(WeightedLloyd, RefusesCentersThatDoNotFit) {
    EXPECT_THROW(weighted_lloyd(speckle(5, 2).points(), {1, 2, 3}, 1, 0, kOneThread), InvalidArgument);
    EXPECT_THROW(weighted_lloyd(speckle(5, 2).points(), {}, 1, 0, kOneThread), InvalidArgument);
}

TEST(MiniBatches, EnergyIsNearThatOfLloyd) {
    const WeightedPoints points = blobs(5, 400, 4).points();
    const auto start = kmeans_plusplus(points, 5, 2, kTwoThreads);
    const WeightedFit lloyd = weighted_lloyd(points, start, 50, 1e-4, kTwoThreads);
    const WeightedFit fit = minibatch_kmeans(points, start, 256, 10, 0, 7, kTwoThreads);
    EXPECT_GE(fit.energy, lloyd.energy * (1 - 1e-6));
    EXPECT_LE(fit.energy, lloyd.energy * 1.01);
    EXPECT_EQ(fit.iterations, 10);
}

TEST(MiniBatches, EnergyIsNearThatOfLloydWithoutClusters) {
    const WeightedPoints points = speckle(5000, 9).points();
    const auto start = kmeans_plusplus(points, 12, 2, kTwoThreads);
    const WeightedFit lloyd = weighted_lloyd(points, start, 100, 1e-4, kTwoThreads);
    const WeightedFit fit = minibatch_kmeans(points, start, 256, 10, 0, 7, kTwoThreads);
    EXPECT_LE(fit.energy, lloyd.energy * 1.1);
}

TEST(MiniBatches, PointsAreDrawnByWeight) {
    // One cluster: the mean of what is drawn tends to the weighted mean, 0.8 with a deviation of 0.4 /
    // sqrt(n).
    const WeightedPoints points(1, {0, 1}, {1, 4});
    const WeightedFit fit = minibatch_kmeans(points, {0.5}, 100, 100, 0, 3, kOneThread);
    EXPECT_NEAR(fit.centers[0], 0.8, 5 * 0.4 / 100);
    EXPECT_NE(fit.centers[0], 0.8);
}

TEST(MiniBatches, SeedsDecideAndThreadsDoNot) {
    const WeightedPoints points = speckle(3000, 49).points();
    const auto start = kmeans_plusplus(points, 20, 1, kOneThread);
    const WeightedFit one = minibatch_kmeans(points, start, 1500, 3, 0, 1, kOneThread);
    EXPECT_EQ(minibatch_kmeans(points, start, 1500, 3, 0, 1, kTwoThreads).centers, one.centers);
    EXPECT_EQ(minibatch_kmeans(points, start, 1500, 3, 0, 1, kTwoThreads).energy, one.energy);
    EXPECT_NE(minibatch_kmeans(points, start, 1500, 3, 0, 2, kOneThread).centers, one.centers);
}

TEST(MiniBatches, ACenterWithoutPointsStays) {
    const WeightedPoints points = speckle(100, 1).points();
    const WeightedFit fit = minibatch_kmeans(points, {1, 5000}, 17, 2, 0, 0, kOneThread);
    EXPECT_EQ(fit.centers[1], 5000);
    EXPECT_EQ(fit.weights[1], 0);
    EXPECT_THROW(minibatch_kmeans(points, {1, 2}, 0, 2, 0, 0, kOneThread), InvalidArgument);
}

}  // namespace
}  // namespace rastertide
