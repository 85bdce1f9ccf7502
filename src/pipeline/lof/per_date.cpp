// SPDX-License-Identifier: Apache-2.0
#include "pipeline/lof/per_date.hpp"

#include <algorithm>
#include <cmath>

#include "core/number_text.hpp"
#include "pipeline/svg_chart.hpp"
#include "write/product_bands.hpp"

namespace rastertide {
namespace {

double anomalous_percent(const DateSummary& date) {
    return date.n_valid == 0
               ? 0
               : 100.0 * static_cast<double>(date.n_anomalies) / static_cast<double>(date.n_valid);
}

}  // namespace

std::string per_date_csv(const std::vector<DateSummary>& dates) {
    std::string csv = "date,valid,anomalies,mean_lof,max_lof\n";
    for (std::size_t i = 0; i < dates.size(); ++i) {
        const DateSummary& date = dates[i];
        csv += (date.date.empty() ? std::to_string(i + 1) : date.date) + "," + std::to_string(date.n_valid) +
               "," + std::to_string(date.n_anomalies) + "," + number_text(date.mean_lof) + "," +
               number_text(static_cast<float>(date.max_lof)) + "\n";
    }
    return csv;
}

std::string per_date_svg(const std::vector<DateSummary>& dates) {
    double highest = 1e-9;  // a chart without any anomaly keeps an axis
    for (const DateSummary& date : dates) highest = std::max(highest, anomalous_percent(date));
    const ChartFrame frame;
    const double width = (frame.plot_right() - frame.plot_left()) /
                         static_cast<double>(std::max<std::size_t>(1, dates.size()));
    const double full = frame.plot_bottom() - frame.plot_top();

    SvgChart chart(frame);
    chart.title("anomalous locations per date, % of valid ones");
    chart.text(frame.plot_left() - 6, frame.plot_top() + 4, "end",
               number_text(std::round(highest * 100) / 100));
    chart.text(frame.plot_left() - 6, frame.plot_bottom(), "end", "0");
    for (std::size_t i = 0; i < dates.size(); ++i) {
        const double height = full * anomalous_percent(dates[i]) / highest;
        chart.bar(frame.plot_left() + width * static_cast<double>(i), frame.plot_bottom() - height,
                  std::max(0.5, width * 0.8), height, "#b2182b",
                  date_label(dates[i].date, static_cast<std::int64_t>(i)) + ": " +
                      std::to_string(dates[i].n_anomalies) + " of " + std::to_string(dates[i].n_valid));
    }
    chart.x_axis();
    if (!dates.empty()) {
        chart.text(frame.plot_left(), frame.plot_bottom() + 18, "start", date_label(dates.front().date, 0));
        chart.text(frame.plot_right(), frame.plot_bottom() + 18, "end",
                   date_label(dates.back().date, static_cast<std::int64_t>(dates.size()) - 1));
    }
    return chart.finish();
}

}  // namespace rastertide
