// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <vector>

#include <cpl_minixml.h>
#include <gtest/gtest.h>

#include "pipeline/kmeans/elbow.hpp"

namespace rastertide {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// k = 2, 3, ...
std::vector<ElbowPoint> curve(const std::vector<double>& energies) {
    std::vector<ElbowPoint> points;
    for (std::size_t i = 0; i < energies.size(); ++i) {
        const auto n = static_cast<std::int64_t>(i);
        points.push_back({n + 2, energies[i], 10 + n});
    }
    return points;
}

int count(const std::string& text, const std::string& what) {
    int n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

bool well_formed(const std::string& xml) {
    CPLXMLNode* root = CPLParseXMLString(xml.c_str());
    const bool good = root != nullptr && CPLGetXMLNode(root, "=svg") != nullptr;
    CPLDestroyXMLNode(root);
    return good;
}

TEST(Elbow, KneeIsThePointFarthestBelowTheChord) {
    EXPECT_EQ(knee(curve({100, 50, 25, 22, 20, 19})), 2);
    EXPECT_EQ(knee(curve({100, 10, 9, 8, 7})), 1);
    EXPECT_EQ(knee(curve({10, 9, 0})), std::nullopt);  // concave
}

TEST(Elbow, KneeTakesUnevenKAsItIs) {
    // On the index alone the third point would be deeper.
    const std::vector<ElbowPoint> points = {{2, 100, 1}, {3, 50, 1}, {10, 20, 1}, {12, 0, 1}};
    EXPECT_EQ(knee(points), 1);
}

TEST(Elbow, KneeDoesNotDependOnTheUnit) {
    for (const double unit : {1e-300, 1e-9, 1e9, 1e306}) {
        std::vector<ElbowPoint> points = curve({100, 50, 25, 22, 20, 19});
        for (ElbowPoint& point : points) point.energy *= unit;
        EXPECT_EQ(knee(points), 2) << unit;
    }
}

TEST(Elbow, FirstOfEqualDepthsIsTheKnee) { EXPECT_EQ(knee(curve({4, 2, 1, 0, 0})), 1); }

TEST(Elbow, StraightLineHasNoKnee) {
    EXPECT_EQ(knee(curve({5, 4, 3, 2, 1})), std::nullopt);
    EXPECT_EQ(knee(curve({0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1})), std::nullopt);  // rounds below the chord
}

TEST(Elbow, TooFewPointsHaveNoKnee) {
    EXPECT_EQ(knee({}), std::nullopt);
    EXPECT_EQ(knee(curve({3})), std::nullopt);
    EXPECT_EQ(knee(curve({3, 1})), std::nullopt);
}

TEST(Elbow, CurveThatDoesNotFallHasNoKnee) {
    EXPECT_EQ(knee(curve({7, 7, 7, 7})), std::nullopt);
    EXPECT_EQ(knee(curve({7, 1, 1, 7})), std::nullopt);
    EXPECT_EQ(knee(curve({1, 1, 2, 3})), std::nullopt);
}

TEST(Elbow, EnergyThatIsNotFiniteLeavesNoKnee) {
    EXPECT_EQ(knee(curve({9, kNaN, 2, 1})), std::nullopt);
    EXPECT_EQ(knee(curve({std::numeric_limits<double>::infinity(), 3, 2, 1})), std::nullopt);
}

TEST(Elbow, CsvMarksTheKneeAndKeepsAllDigits) {
    EXPECT_EQ(elbow_csv(curve({100, 50.1, 1.0 / 3, 0.25})),
              "k,energy,iterations,knee\n"
              "2,100,10,0\n"
              "3,50.1,11,0\n"
              "4,0.3333333333333333,12,1\n"
              "5,0.25,13,0\n");
}

TEST(Elbow, CsvOfOnePointHasNoKnee) {
    EXPECT_EQ(elbow_csv(curve({3})), "k,energy,iterations,knee\n2,3,10,0\n");
    EXPECT_EQ(elbow_csv(curve({kNaN})), "k,energy,iterations,knee\n2,,10,0\n");
    EXPECT_EQ(elbow_csv({}), "k,energy,iterations,knee\n");
}

TEST(Elbow, SvgMarksTheKneeOnce) {
    const std::string svg = elbow_svg(curve({100, 50, 25, 22, 20, 19}));

    EXPECT_TRUE(well_formed(svg));
    EXPECT_EQ(count(svg, "<circle"), 1);
    EXPECT_EQ(count(svg, "knee: k = 4<"), 1);
    EXPECT_EQ(count(svg, "<ellipse"), 6);
    EXPECT_EQ(count(svg, "<script"), 0);
}

TEST(Elbow, SvgIsAChartWithoutAKneeToo) {
    for (const std::vector<double>& energies : std::vector<std::vector<double>>{
             {}, {3}, {0}, {kNaN}, {3, 2}, {5, 5, 5}, {9, kNaN, 2, 1}, {1e300, 1e-300}, {1e17 + 16, 1e17}}) {
        const std::string svg = elbow_svg(curve(energies));
        EXPECT_TRUE(well_formed(svg)) << svg;
        EXPECT_EQ(count(svg, "<circle"), 0) << svg;
        EXPECT_EQ(count(svg, "nan"), 0) << svg;
        EXPECT_LT(count(svg, "<text"), 30) << svg;
    }
}

}  // namespace
}  // namespace rastertide
