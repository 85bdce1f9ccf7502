// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace rastertide {

/// Where a chart lies: its size and the margins around the plotted part, in the SVG's own units.
struct ChartFrame {
    double width = 960;
    double height = 260;
    double left = 60;
    double right = 20;
    double top = 30;
    double bottom = 40;

    double plot_left() const { return left; }
    double plot_right() const { return width - right; }
    double plot_top() const { return top; }
    double plot_bottom() const { return height - bottom; }
};

/// A chart as SVG text: the few shapes that our charts are made of, on white, with the reader's sans-serif
/// font; no script, nothing from outside. Text is escaped; coordinates are rounded to 0.01.
class SvgChart {
  public:
    explicit SvgChart(const ChartFrame& frame);

    /// @param anchor  "start", "middle" or "end": which part of the text lies at x
    void text(double x, double y, const char* anchor, const std::string& words);
    void title(const std::string& words);
    void line(double x1, double y1, double x2, double y2);
    void polyline(const std::vector<std::pair<double, double>>& points, const char* color);
    /// A filled bar that says `words` where the pointer rests on it.
    void bar(double x, double y, double width, double height, const char* color, const std::string& words);
    /// A filled dot that says `words` where the pointer rests on it.
    void dot(double x, double y, const char* color, const std::string& words);
    void circle(double x, double y, double radius, const char* color);

    void x_axis();
    void y_axis();
    void x_tick(double x, const std::string& words);
    void y_tick(double y, const std::string& words);

    /// The whole file. The chart takes no more shapes after that.
    std::string finish();

  private:
    ChartFrame frame_;
    std::ostringstream out_;
};

/// Multiples of 1, 2 or 5 times a power of ten that cover low..high: about `n_steps` steps, the first tick
/// <= low, the last >= high. Steps of less than `min_step` are not made (1 for counts).
/// @param low, high  finite, low <= high; where they are equal the ticks enclose them
std::vector<double> round_ticks(double low, double high, int n_steps, double min_step = 0);

}  // namespace rastertide
