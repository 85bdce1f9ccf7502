// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <nlohmann/json.hpp>

#include <rastertide/core/error.hpp>
#include <rastertide/core/version.hpp>
#include <rastertide/pipeline/kmeans_model.hpp>

#include "pipeline/model_fields.hpp"

namespace rastertide {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // a reader sees the short fields first

constexpr std::int64_t kMaxBands = std::int64_t{1} << 24;  // times a patch's pixels it fits 64 bits

/// Band names may be of any bytes, JSON is UTF-8.
std::string text_of(const OrderedJson& json) {
    return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

OrderedJson field_values(const KMeansModel& model) {
    return {{"software", "rastertide_kmeans"},
            {"version", kVersion},
            {"patch", model.centers.patch_size},
            {"bands", model.centers.n_bands},
            {"k", model.centers.n_clusters},
            {"features", model.time_features ? "time" : "patch"},
            {"scale", model.scale == PixelScale::Db ? "db" : "linear"},
            {"energy", std::isfinite(model.energy) ? OrderedJson(model.energy) : OrderedJson(nullptr)},
            {"iterations", model.iterations},
            {"seed", model.seed},
            {"sizes", model.sizes},
            {"band_names", model.band_names}};
}

void require_number_of(const std::string& where, const char* what, std::size_t found, std::int64_t expected) {
    if (static_cast<std::int64_t>(found) == expected) return;
    throw InvalidArgument(where + "the number of " + what + " is " + std::to_string(found) + ", expected " +
                          std::to_string(expected));
}

/// Fields that may be absent have the right length or none.
void require_lists_fit(const std::string& where, const KMeansModel& model) {
    const PatchCenters& centers = model.centers;
    if (!model.sizes.empty()) require_number_of(where, "sizes", model.sizes.size(), centers.n_clusters);
    // A time series' features are dates and bands.
    if (!model.band_names.empty() && !model.time_features)
        require_number_of(where, "band_names", model.band_names.size(), centers.n_bands);
}

/// The fields of one file, with messages that name it.
class ModelFile {
  public:
    explicit ModelFile(const std::string& path)
        : where_("'" + path + "': "), fields_(read_model_fields(path)) {}

    KMeansModel model() const {
        KMeansModel result;
        result.centers = centers();
        result.scale = one_of("scale", "linear", "db") ? PixelScale::Db : PixelScale::Linear;
        result.time_features = one_of("features", "patch", "time");
        for (const Json& size : list("sizes")) result.sizes.push_back(whole_number("sizes", size, 0, kMost));
        if (const Json* energy = given("energy")) result.energy = finite_number("energy", *energy);
        if (const Json* count = given("iterations"))
            result.iterations = whole_number("iterations", *count, 0, kMost);
        if (const Json* seed = given("seed")) result.seed = seed_of(*seed);
        for (const Json& name : list("band_names")) {
            if (!name.is_string()) fail("band_names", name, "texts");
            result.band_names.push_back(name.get<std::string>());
        }
        require_lists_fit(where_, result);
        return result;
    }

  private:
    static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

    [[noreturn]] void fail(const std::string& field, const Json& found, const std::string& expected) const {
        throw InvalidArgument(where_ + field + " is " + text_of_value(found) + ", expected " + expected);
    }

    /// Null if the field is absent or null.
    const Json* given(const std::string& field) const {
        const auto found = fields_.scalars.find(field);
        return found == fields_.scalars.end() || found->second.is_null() ? nullptr : &found->second;
    }

    std::vector<Json> list(const std::string& field) const {
        const auto found = fields_.lists.find(field);
        return found == fields_.lists.end() ? std::vector<Json>{} : found->second;
    }

    std::int64_t whole_number(const std::string& field, const Json& value, std::int64_t min,
                              std::int64_t max) const {
        const std::string upper = max == kMost ? "" : " to " + std::to_string(max);
        const std::string expected = "a whole number from " + std::to_string(min) + upper;
        if (!value.is_number_integer()) fail(field, value, expected);
        const bool fits = !value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{kMost};
        if (!fits || value.get<std::int64_t>() < min || value.get<std::int64_t>() > max)
            fail(field, value, expected);
        return value.get<std::int64_t>();
    }

    std::int64_t required(const std::string& field, std::int64_t min, std::int64_t max) const {
        const auto found = fields_.scalars.find(field);
        if (found == fields_.scalars.end()) throw InvalidArgument(where_ + "has no field '" + field + "'");
        return whole_number(field, found->second, min, max);
    }

    double finite_number(const std::string& field, const Json& value) const {
        if (!value.is_number()) fail(field, value, "a number");
        return value.get<double>();  // the parser has refused what is not finite
    }

    void require_in_range(const std::string& field, double value) const {
        if (std::abs(value) <= static_cast<double>(kMaxPixelValue)) return;
        fail(field, value, "numbers of at most 1e17 in magnitude, as pixels are");
    }

    std::uint64_t seed_of(const Json& value) const {
        if (!value.is_number_unsigned()) fail("seed", value, "a whole number from 0 to 2^64 - 1");
        return value.get<std::uint64_t>();
    }

    /// Whether the field is the second text; the first is its default.
    bool one_of(const std::string& field, const char* first, const char* second) const {
        const Json* value = given(field);
        if (value == nullptr || *value == first) return false;
        if (*value != second) fail(field, *value, "'" + std::string(first) + "' or '" + second + "'");
        return true;
    }

    PatchCenters centers() const {
        PatchCenters centers;
        centers.patch_size = static_cast<int>(required("patch", 1, kMaxPatchSize));
        if (centers.patch_size % 2 == 0)
            fail("patch", centers.patch_size, "an odd number from 1 to " + std::to_string(kMaxPatchSize));
        centers.n_bands = required("bands", 1, kMaxBands);
        centers.n_clusters = required("k", 1, kMaxClusters);
        if (!fields_.has_centers) throw InvalidArgument(where_ + "has no field 'centers'");
        require_number_of(where_, "centers", fields_.center_lengths.size(), centers.n_clusters);
        for (std::size_t i = 0; i < fields_.center_lengths.size(); ++i) {
            if (fields_.center_lengths[i] == centers.n_features()) continue;
            throw InvalidArgument(where_ + "list " + std::to_string(i + 1) +
                                  " of centers: the number of values is " +
                                  std::to_string(fields_.center_lengths[i]) + ", expected " +
                                  std::to_string(centers.n_features()) + " (bands x patch x patch)");
        }
        centers.values = fields_.values;
        for (const double value : centers.values) require_in_range("centers", value);
        return centers;
    }

    std::string where_;
    ModelFields fields_;
};

}  // namespace

std::string kmeans_model_json(const KMeansModel& model) {
    model.centers.validate();
    require_lists_fit("model: ", model);
    std::string text = "{\n";
    const OrderedJson fields = field_values(model);
    for (const auto& [name, value] : fields.items()) {
        text += "  " + text_of(name) + ": " + text_of(value) + ",\n";
    }
    text += "  \"centers\": [";
    for (std::int64_t k = 0; k < model.centers.n_clusters; ++k) {
        const double* center = model.centers.center(k);
        const std::vector<double> values(center, center + model.centers.n_features());
        text += (k == 0 ? "\n    " : ",\n    ") + text_of(values);
    }
    return text + "\n  ]\n}\n";
}

KMeansModel read_kmeans_model(const std::string& path) { return ModelFile(path).model(); }

}  // namespace rastertide
