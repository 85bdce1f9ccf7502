// SPDX-License-Identifier: Apache-2.0
#include "pipeline/svg_chart.hpp"

#include <algorithm>
#include <cmath>

namespace rastertide {
namespace {

/// The file stays small and reads well.
double rounded(double value) { return std::round(value * 100) / 100; }

std::string escaped(const std::string& words) {
    std::string text;
    for (const char letter : words) {
        switch (letter) {
            case '&':
                text += "&amp;";
                break;
            case '<':
                text += "&lt;";
                break;
            case '>':
                text += "&gt;";
                break;
            default:
                text += letter;
        }
    }
    return text;
}

/// A step of mantissa * 10^exponent.
struct Step {
    int mantissa = 1;
    int exponent = 0;

    /// Powers of ten below one are divided by: that way 3 steps of 0.1 are 0.3, not 0.30000000000000004.
    double times(double count) const {
        const double whole = count * mantissa;
        return exponent >= 0 ? whole * std::pow(10.0, exponent) : whole / std::pow(10.0, -exponent);
    }
};

/// The smallest round step of at least `length`.
Step round_step(double length) {
    Step step;
    step.exponent = static_cast<int>(std::floor(std::log10(length)));
    for (const int mantissa : {1, 2, 5}) {
        step.mantissa = mantissa;
        // log10 and the division round: a length of 0.2 must not become a step of 0.5.
        if (step.times(1) >= length * (1 - 1e-9)) return step;
    }
    return {1, step.exponent + 1};
}

}  // namespace

SvgChart::SvgChart(const ChartFrame& frame) : frame_(frame) {
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << frame.width << ' ' << frame.height
         << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
}

void SvgChart::text(double x, double y, const char* anchor, const std::string& words) {
    out_ << "<text x=\"" << rounded(x) << "\" y=\"" << rounded(y) << "\" text-anchor=\"" << anchor << "\">"
         << escaped(words) << "</text>\n";
}

void SvgChart::title(const std::string& words) {
    text(frame_.plot_left(), frame_.plot_top() - 12, "start", words);
}

void SvgChart::line(double x1, double y1, double x2, double y2) {
    out_ << "<line x1=\"" << rounded(x1) << "\" y1=\"" << rounded(y1) << "\" x2=\"" << rounded(x2)
         << "\" y2=\"" << rounded(y2) << "\" stroke=\"black\"/>\n";
}

void SvgChart::polyline(const std::vector<std::pair<double, double>>& points, const char* color) {
    out_ << "<polyline points=\"";
    for (std::size_t i = 0; i < points.size(); ++i) {
        out_ << (i == 0 ? "" : " ") << rounded(points[i].first) << ',' << rounded(points[i].second);
    }
    out_ << "\" fill=\"none\" stroke=\"" << color << "\" stroke-width=\"2\"/>\n";
}

void SvgChart::bar(double x, double y, double width, double height, const char* color,
                   const std::string& words) {
    out_ << "<rect x=\"" << rounded(x) << "\" y=\"" << rounded(y) << "\" width=\"" << rounded(width)
         << "\" height=\"" << rounded(height) << "\" fill=\"" << color << "\"><title>" << escaped(words)
         << "</title></rect>\n";
}

void SvgChart::dot(double x, double y, const char* color, const std::string& words) {
    out_ << "<ellipse cx=\"" << rounded(x) << "\" cy=\"" << rounded(y) << "\" rx=\"3\" ry=\"3\" fill=\""
         << color << "\"><title>" << escaped(words) << "</title></ellipse>\n";
}

void SvgChart::circle(double x, double y, double radius, const char* color) {
    out_ << "<circle cx=\"" << rounded(x) << "\" cy=\"" << rounded(y) << "\" r=\"" << radius
         << "\" fill=\"none\" stroke=\"" << color << "\" stroke-width=\"2\"/>\n";
}

void SvgChart::x_axis() {
    line(frame_.plot_left(), frame_.plot_bottom(), frame_.plot_right(), frame_.plot_bottom());
}

void SvgChart::y_axis() {
    line(frame_.plot_left(), frame_.plot_top(), frame_.plot_left(), frame_.plot_bottom());
}

void SvgChart::x_tick(double x, const std::string& words) {
    line(x, frame_.plot_bottom(), x, frame_.plot_bottom() + 4);
    text(x, frame_.plot_bottom() + 18, "middle", words);
}

void SvgChart::y_tick(double y, const std::string& words) {
    line(frame_.plot_left() - 4, y, frame_.plot_left(), y);
    text(frame_.plot_left() - 6, y + 4, "end", words);
}

std::string SvgChart::finish() {
    out_ << "</svg>\n";
    return out_.str();
}

std::vector<double> round_ticks(double low, double high, int n_steps, double min_step) {
    double range = high - low;
    if (range <= 0) range = low == 0 ? 1 : std::abs(low);
    // Values that differ in their last digits only: the steps stay numbers that a double can count.
    range = std::max({range, 1e-12 * std::abs(low), 1e-12 * std::abs(high), 1e-300});
    const Step step = round_step(std::max(range / n_steps, min_step));
    const double length = step.times(1);
    const double first = std::floor(low / length);
    double last = std::ceil(high / length);
    if (last == first) ++last;
    std::vector<double> ticks;
    for (double count = first; count <= last; ++count) ticks.push_back(step.times(count));
    return ticks;
}

}  // namespace rastertide
