// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/elbow.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/number_text.hpp"
#include "pipeline/svg_chart.hpp"

namespace rastertide {
namespace {

constexpr const char* kLineColor = "#2166ac";
constexpr const char* kKneeColor = "#b2182b";
constexpr double kKneeLabelWidth = 90;

/// Depths of less are rounding: a straight line has no knee.
constexpr double kLeastDepth = 1e-9;

/// A scale from values to the places that the ticks span.
struct Axis {
    std::vector<double> ticks;
    double from = 0, to = 0;

    double place(double value) const {
        return from + (to - from) * ((value - ticks.front()) / (ticks.back() - ticks.front()));
    }
};

std::vector<ElbowPoint> finite_points(std::span<const ElbowPoint> points) {
    std::vector<ElbowPoint> finite;
    for (const ElbowPoint& point : points) {
        if (std::isfinite(point.energy)) finite.push_back(point);
    }
    return finite;
}

ChartFrame elbow_frame() {
    ChartFrame frame;
    frame.width = 640;
    frame.height = 360;
    frame.left = 90;  // energies have long numbers
    frame.bottom = 50;
    return frame;
}

Axis k_axis(const std::vector<ElbowPoint>& points, const ChartFrame& frame) {
    const auto [low, high] = std::ranges::minmax(points, {}, &ElbowPoint::k);
    return {round_ticks(static_cast<double>(low.k), static_cast<double>(high.k), 10, 1), frame.plot_left(),
            frame.plot_right()};
}

Axis energy_axis(const std::vector<ElbowPoint>& points, const ChartFrame& frame) {
    const auto [low, high] = std::ranges::minmax(points, {}, &ElbowPoint::energy);
    return {round_ticks(low.energy, high.energy, 6), frame.plot_bottom(), frame.plot_top()};
}

void add_curve(SvgChart& chart, const std::vector<ElbowPoint>& points, const Axis& k, const Axis& energy) {
    std::vector<std::pair<double, double>> places;
    for (const ElbowPoint& point : points) {
        places.emplace_back(k.place(static_cast<double>(point.k)), energy.place(point.energy));
    }
    chart.polyline(places, kLineColor);
    for (std::size_t i = 0; i < points.size(); ++i) {
        chart.dot(places[i].first, places[i].second, kLineColor,
                  "k = " + std::to_string(points[i].k) + ": energy " + number_text(points[i].energy) + ", " +
                      std::to_string(points[i].iterations) + " iterations");
    }
}

void add_knee(SvgChart& chart, const ElbowPoint& point, const Axis& k, const Axis& energy) {
    const double x = k.place(static_cast<double>(point.k));
    const double y = energy.place(point.energy);
    chart.circle(x, y, 7, kKneeColor);
    // The curve is convex: above and to the right of its knee there is room, but at the chart's end.
    const bool has_room = x + kKneeLabelWidth < k.to;
    chart.text(has_room ? x + 10 : x - 10, y - 10, has_room ? "start" : "end",
               "knee: k = " + std::to_string(point.k));
}

}  // namespace

std::optional<std::size_t> knee(std::span<const ElbowPoint> points) {
    if (points.size() < 3) return std::nullopt;
    for (const ElbowPoint& point : points) {
        if (!std::isfinite(point.energy)) return std::nullopt;
    }
    const ElbowPoint& first = points.front();
    const ElbowPoint& last = points.back();
    // Halves: the difference of two finite energies may be infinite.
    const double drop = first.energy / 2 - last.energy / 2;
    const auto width = static_cast<double>(last.k - first.k);
    if (!(drop > 0) || !(width > 0)) return std::nullopt;

    std::optional<std::size_t> deepest;
    double depth = kLeastDepth;
    for (std::size_t i = 1; i + 1 < points.size(); ++i) {
        const double x = static_cast<double>(points[i].k - first.k) / width;
        const double y = (points[i].energy / 2 - last.energy / 2) / drop;
        if (1 - x - y <= depth) continue;
        depth = 1 - x - y;
        deepest = i;
    }
    return deepest;
}

std::string elbow_csv(std::span<const ElbowPoint> points) {
    const std::optional<std::size_t> marked = knee(points);
    std::string csv = "k,energy,iterations,knee\n";
    for (std::size_t i = 0; i < points.size(); ++i) {
        csv += std::to_string(points[i].k) + "," + number_text(points[i].energy) + "," +
               std::to_string(points[i].iterations) + "," + (marked == i ? "1" : "0") + "\n";
    }
    return csv;
}

std::string elbow_svg(std::span<const ElbowPoint> points) {
    const ChartFrame frame = elbow_frame();
    SvgChart chart(frame);
    chart.title("K-Means: energy (sum of squared distances) by number of clusters");
    chart.x_axis();
    chart.y_axis();
    chart.text((frame.plot_left() + frame.plot_right()) / 2, frame.plot_bottom() + 38, "middle",
               "k, number of clusters");
    const std::vector<ElbowPoint> finite = finite_points(points);
    if (finite.empty()) return chart.finish();

    const Axis k = k_axis(finite, frame);
    const Axis energy = energy_axis(finite, frame);
    for (const double tick : k.ticks) chart.x_tick(k.place(tick), number_text(tick));
    for (const double tick : energy.ticks) chart.y_tick(energy.place(tick), number_text(tick));
    add_curve(chart, finite, k, energy);
    if (const auto marked = knee(points)) add_knee(chart, points[*marked], k, energy);
    return chart.finish();
}

}  // namespace rastertide
