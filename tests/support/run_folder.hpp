// SPDX-License-Identifier: Apache-2.0
// What a run left in its folder.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

namespace rastertide::testing_support {

inline std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline nlohmann::json json_of(const std::string& path) { return nlohmann::json::parse(text_of(path)); }

inline nlohmann::json summary_of(const std::string& outdir) { return json_of(outdir + "/summary.json"); }

}  // namespace rastertide::testing_support
