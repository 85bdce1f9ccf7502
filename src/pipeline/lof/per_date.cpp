// SPDX-License-Identifier: Apache-2.0
#include "pipeline/lof/per_date.hpp"

#include <algorithm>
#include <sstream>

#include "pipeline/number_text.hpp"

namespace rastertide {
namespace {

constexpr double kWidth = 960;
constexpr double kHeight = 260;
constexpr double kLeft = 60;
constexpr double kBottom = 40;
constexpr double kTop = 30;

double anomalous_percent(const DateSummary& date) {
    return date.n_valid == 0
               ? 0
               : 100.0 * static_cast<double>(date.n_anomalies) / static_cast<double>(date.n_valid);
}

/// Coordinates are rounded so that the file is small and reads well.
double rounded(double value) { return std::round(value * 100) / 100; }

void add_text(std::ostream& out, double x, double y, const char* anchor, const std::string& text) {
    out << "<text x=\"" << rounded(x) << "\" y=\"" << rounded(y) << "\" text-anchor=\"" << anchor << "\">"
        << text << "</text>\n";
}

}  // namespace

std::string date_label(const DateSummary& date, std::int64_t index) {
    return date.date.empty() ? "scene " + std::to_string(index + 1) : date.date;
}

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
    const double bar = (kWidth - kLeft - 20) / static_cast<double>(std::max<std::size_t>(1, dates.size()));
    const double full = kHeight - kTop - kBottom;

    std::ostringstream out;
    out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << kWidth << ' ' << kHeight
        << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
        << "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    add_text(out, kLeft, kTop - 12, "start", "anomalous locations per date, % of valid ones");
    add_text(out, kLeft - 6, kTop + 4, "end", number_text(rounded(highest)));
    add_text(out, kLeft - 6, kHeight - kBottom, "end", "0");
    for (std::size_t i = 0; i < dates.size(); ++i) {
        const double height = full * anomalous_percent(dates[i]) / highest;
        out << "<rect x=\"" << rounded(kLeft + bar * static_cast<double>(i)) << "\" y=\""
            << rounded(kHeight - kBottom - height) << "\" width=\"" << rounded(std::max(0.5, bar * 0.8))
            << "\" height=\"" << rounded(height) << "\" fill=\"#b2182b\"><title>"
            << date_label(dates[i], static_cast<std::int64_t>(i)) << ": " << dates[i].n_anomalies << " of "
            << dates[i].n_valid << "</title></rect>\n";
    }
    out << "<line x1=\"" << kLeft << "\" y1=\"" << kHeight - kBottom << "\" x2=\"" << kWidth - 20
        << "\" y2=\"" << kHeight - kBottom << "\" stroke=\"black\"/>\n";
    if (!dates.empty()) {
        add_text(out, kLeft, kHeight - kBottom + 18, "start", date_label(dates.front(), 0));
        add_text(out, kWidth - 20, kHeight - kBottom + 18, "end",
                 date_label(dates.back(), static_cast<std::int64_t>(dates.size()) - 1));
    }
    out << "</svg>\n";
    return out.str();
}

}  // namespace rastertide
