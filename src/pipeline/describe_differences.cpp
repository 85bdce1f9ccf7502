// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <vector>

#include <nlohmann/json.hpp>

#include <rastertide/pipeline/describe.hpp>

#include "pipeline/run_record.hpp"

namespace rastertide {
namespace {

using Row = std::array<std::string, 4>;

std::string row_text(const Row& row, const std::array<std::size_t, 4>& widths) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
        text += row[i];
        if (i + 1 < row.size()) text += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    return text + "\n";
}

}  // namespace

std::string differences_json(const std::vector<SceneDifference>& differences) {
    Json rows = Json::array();
    for (const auto& [scene, difference] : differences) {
        rows.push_back({{"scene", scene},
                        {"what", difference.what},
                        {"found", difference.found},
                        {"expected", difference.expected}});
    }
    return json_text({{"differences", rows}});
}

std::string differences_text(const std::vector<SceneDifference>& differences) {
    std::vector<Row> rows = {{"Scene", "What", "Found", "Expected"}};
    for (const auto& [scene, difference] : differences) {
        rows.push_back({scene, difference.what, difference.found, difference.expected});
    }
    std::array<std::size_t, 4> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const Row& row : rows) text += row_text(row, widths);
    return text;
}

}  // namespace rastertide
