// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace rastertide {

/// A JSON text that may be anybody's. Null if it is not JSON, or nested deeper than any text of ours: values
/// are compared, copied and written by recursion.
template <class Json>
Json parse_shallow(const std::string& text) {
    constexpr int kMaxDepth = 32;
    bool is_shallow = true;
    const auto keep = [&](int depth, typename Json::parse_event_t, Json&) {
        is_shallow = is_shallow && depth <= kMaxDepth;
        return is_shallow;
    };
    Json json = Json::parse(text, keep, false);
    return is_shallow && !json.is_discarded() ? json : Json();
}

}  // namespace rastertide
