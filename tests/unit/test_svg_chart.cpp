// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/lof/per_date.hpp"
#include "pipeline/svg_chart.hpp"

namespace rastertide {
namespace {

TEST(SvgChart, TicksAreRoundAndCoverTheValues) {
    EXPECT_EQ(round_ticks(0, 1, 5), (std::vector<double>{0, 0.2, 0.4, 0.6, 0.8, 1}));
    EXPECT_EQ(round_ticks(2, 6, 10, 1), (std::vector<double>{2, 3, 4, 5, 6}));
    EXPECT_EQ(round_ticks(19, 100, 6), (std::vector<double>{0, 20, 40, 60, 80, 100}));
    EXPECT_EQ(round_ticks(-0.3, 0.3, 6), (std::vector<double>{-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3}));
}

TEST(SvgChart, TicksEncloseASingleValue) {
    EXPECT_EQ(round_ticks(3, 3, 10, 1), (std::vector<double>{3, 4}));
    EXPECT_EQ(round_ticks(0, 0, 2), (std::vector<double>{0, 0.5}));
}

TEST(SvgChart, TextIsEscaped) {
    SvgChart chart{ChartFrame{}};
    chart.text(1.006, 2, "end", "a < b & c > d");

    EXPECT_NE(chart.finish().find(R"(<text x="1.01" y="2" text-anchor="end">a &lt; b &amp; c &gt; d</text>)"),
              std::string::npos);
}

TEST(SvgChart, PerDateHasABarADate) {
    DateSummary date;
    date.date = "2020-01-02";
    date.n_valid = 50;
    date.n_anomalies = 1;
    DateSummary other;

    const std::string svg = per_date_svg({date, other});

    EXPECT_NE(
        svg.find(R"(y="30" width="352" height="190" fill="#b2182b"><title>2020-01-02: 1 of 50</title>)"),
        std::string::npos)
        << svg;
    EXPECT_NE(svg.find(R"(height="0" fill="#b2182b"><title>scene 2: 0 of 0</title>)"), std::string::npos)
        << svg;
}

}  // namespace
}  // namespace rastertide
