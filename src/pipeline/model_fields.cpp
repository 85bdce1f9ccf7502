// SPDX-License-Identifier: Apache-2.0
#include "pipeline/model_fields.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>

#include <rastertide/core/error.hpp>
#include <rastertide/pipeline/kmeans_model.hpp>

namespace rastertide {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 8> kScalars = {"patch", "bands",  "k",          "features",
                                                      "scale", "energy", "iterations", "seed"};
constexpr std::array<std::string_view, 2> kLists = {"sizes", "band_names"};
constexpr const char* kCenters = "centers";
constexpr int kMaxDepth = 32;                                   // of fields that are skipped
constexpr std::size_t kMaxListEntries = kMaxClusters;           // of sizes, of band_names
constexpr std::size_t kMaxCenterValues = std::size_t{1} << 27;  // 1 GiB in memory
constexpr std::size_t kMaxShownCharacters = 40;
constexpr int kNumberOverflow = 406;  // nlohmann-json's number of that error

template <class Names>
bool holds(const Names& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// For a message of one line.
std::string shown(const std::string& text) {
    std::string result;
    for (const char c : text.substr(0, kMaxShownCharacters)) result += c >= ' ' && c <= '~' ? c : '?';
    return result + (text.size() > kMaxShownCharacters ? "..." : "");
}

/// Takes the parser's events. A tree of the whole file would be many times its size.
class FieldReader final : public nlohmann::json_sax<Json> {
  public:
    explicit FieldReader(const std::string& path) : path_(path) {}

    ModelFields take() { return std::move(fields_); }

    bool null() override { return value(Json(nullptr)); }
    bool boolean(bool flag) override { return value(Json(flag)); }
    bool number_integer(Json::number_integer_t number) override { return value(Json(number)); }
    bool number_unsigned(Json::number_unsigned_t number) override { return value(Json(number)); }
    bool number_float(Json::number_float_t number, const std::string&) override {
        return value(Json(number));
    }
    bool string(std::string& text) override { return value(Json(text)); }
    bool binary(Json::binary_t&) override { return value(Json("binary data")); }

    bool key(std::string& name) override {
        if (depth_ != 1) return true;
        key_ = name;
        const bool known = is_scalar() || is_list() || is_centers();
        if (known && !seen_.insert(key_).second) fail("field '" + key_ + "': is given twice");
        if (is_centers()) fields_.has_centers = true;
        if (is_list()) fields_.lists[key_];
        return true;
    }

    bool start_object(std::size_t) override {
        if (depth_ > 0) refuse_in_known_field("an object");
        return enter();
    }
    bool end_object() override { return leave(); }

    bool start_array(std::size_t) override {
        if (depth_ == 0) fail("holds a list, expected an object with patch, bands, k and centers");
        const bool in_list = is_list() && depth_ == 1;
        const bool in_centers = is_centers() && depth_ <= 2;
        if (!in_list && !in_centers) refuse_in_known_field("a list");
        if (is_centers() && depth_ == 2) start_center();
        return enter();
    }
    bool end_array() override { return leave(); }

    bool parse_error(std::size_t position, const std::string& last_token,
                     const Json::exception& error) override {
        const std::string place = " at byte " + std::to_string(position) + " ('" + shown(last_token) + "')";
        if (error.id == kNumberOverflow) fail("a number is too large for a double" + place);
        fail("is not JSON: error" + place);
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw InvalidArgument("'" + path_ + "': " + what);
    }

    bool is_scalar() const { return holds(kScalars, key_); }
    bool is_list() const { return holds(kLists, key_); }
    bool is_centers() const { return key_ == kCenters; }

    std::string place() const {
        if (is_centers() && depth_ > 2)
            return "field 'centers', list " + std::to_string(fields_.center_lengths.size());
        return "field '" + key_ + "'";
    }
    std::string expected() const {
        if (is_scalar()) return "a number or text";
        if (is_list()) return depth_ == 1 ? "a list" : "a list of numbers or texts";
        return depth_ == 1 ? "a list of lists" : depth_ == 2 ? "lists of numbers" : "a number";
    }

    void refuse_in_known_field(const std::string& found) const {
        if (is_scalar() || is_list() || is_centers())
            fail(place() + ": holds " + found + ", expected " + expected());
    }

    bool enter() {
        if (++depth_ > kMaxDepth)
            fail("is nested deeper than " + std::to_string(kMaxDepth) + " levels, a model has 3");
        return true;
    }
    bool leave() {
        --depth_;
        return true;
    }

    void start_center() {
        if (fields_.center_lengths.size() == static_cast<std::size_t>(kMaxClusters))
            fail("field 'centers': holds more than " + std::to_string(kMaxClusters) + " lists");
        fields_.center_lengths.push_back(0);
    }

    bool value(Json scalar) {
        if (depth_ == 0) fail("holds " + text_of_value(scalar) + ", expected an object");
        if (is_scalar()) {
            fields_.scalars[key_] = std::move(scalar);
        } else if (is_list()) {
            add_to_list(std::move(scalar));
        } else if (is_centers()) {
            add_to_center(scalar);
        }
        return true;
    }

    void add_to_list(Json scalar) {
        if (depth_ == 1) refuse_in_known_field(text_of_value(scalar));
        std::vector<Json>& list = fields_.lists[key_];
        if (list.size() == kMaxListEntries)
            fail(place() + ": holds more than " + std::to_string(kMaxListEntries) + " entries");
        list.push_back(std::move(scalar));
    }

    void add_to_center(const Json& scalar) {
        if (depth_ < 3 || !scalar.is_number()) refuse_in_known_field(text_of_value(scalar));
        if (fields_.values.size() == kMaxCenterValues)
            fail("field 'centers': holds more than " + std::to_string(kMaxCenterValues) + " numbers");
        fields_.values.push_back(scalar.get<double>());
        ++fields_.center_lengths.back();
    }

    const std::string& path_;
    ModelFields fields_;
    std::string key_;  // of the top object
    std::set<std::string> seen_;
    int depth_ = 0;
};

void require_file(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (error) throw IoError("'" + path + "': cannot read the model: " + error.message());
    if (std::filesystem::is_directory(status))
        throw IoError("'" + path + "': is a folder, expected the JSON file of a model");
    // Another kind has no size that could be checked.
    if (!std::filesystem::is_regular_file(status))
        throw IoError("'" + path + "': is not a regular file, expected the JSON file of a model");
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error) throw IoError("'" + path + "': cannot read the model: " + error.message());
    if (size == 0) throw IoError("'" + path + "': is empty, expected the JSON file of a model");
    if (size > static_cast<std::uintmax_t>(kMaxModelFileBytes))
        throw IoError("'" + path + "': has " + std::to_string(size) + " bytes, a model has at most " +
                      std::to_string(kMaxModelFileBytes));
}

}  // namespace

std::string text_of_value(const Json& value) {
    if (value.is_string()) return "'" + shown(value.get_ref<const std::string&>()) + "'";
    if (value.is_array()) return "a list";
    return value.is_object() ? "an object" : value.dump();
}

ModelFields read_model_fields(const std::string& path) {
    require_file(path);
    std::ifstream file(path, std::ios::binary);
    if (!file.is_open())
        throw IoError("'" + path + "': cannot read the model: " + std::generic_category().message(errno));
    FieldReader reader(path);
    Json::sax_parse(file, &reader);
    return reader.take();
}

}  // namespace rastertide
