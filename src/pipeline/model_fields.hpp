// SPDX-License-Identifier: Apache-2.0
// The fields of a model file as they stand there, before anything is known to fit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rastertide {

struct ModelFields {
    std::map<std::string, nlohmann::json> scalars;  ///< numbers, texts, ... ; null where that is given
    std::map<std::string, std::vector<nlohmann::json>> lists;  ///< of scalars: "sizes", "band_names"
    bool has_centers = false;
    std::vector<std::int64_t> center_lengths;  ///< of the lists in "centers"
    std::vector<double> values;                ///< theirs, one list after the other
};

/// Reads the fields that a model has; others are skipped without being kept, however large or deep.
/// @throws InvalidArgument, IoError  as read_kmeans_model()
ModelFields read_model_fields(const std::string& path);

/// "a list", "null", "\"text\"", "7": in one short line, whatever the file holds.
std::string text_of_value(const nlohmann::json& value);

}  // namespace rastertide
