// SPDX-License-Identifier: Apache-2.0
#include "pipeline/resume.hpp"

#include <optional>

#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

struct Difference {
    std::string place;  ///< /options/k
    std::string found, asked;
};

std::string short_text(const Json& value) {
    constexpr std::size_t kMost = 120;
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > kMost) text = text.substr(0, kMost) + "...";
    return text;
}

std::optional<Difference> first_difference(const Json& found, const Json& asked, const std::string& place) {
    if (found == asked) return std::nullopt;
    if (found.is_object() && asked.is_object()) {
        for (const auto& [key, value] : asked.items()) {
            const Json none;
            const auto difference =
                first_difference(found.contains(key) ? found[key] : none, value, place + "/" + key);
            if (difference) return difference;
        }
    } else if (found.is_array() && asked.is_array() && found.size() == asked.size()) {
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const auto difference = first_difference(found[i], asked[i], place + "/" + std::to_string(i));
            if (difference) return difference;
        }
    } else if (found.is_array() && asked.is_array()) {
        return Difference{place, std::to_string(found.size()) + " entries",
                          std::to_string(asked.size()) + " entries"};
    }
    return Difference{place.empty() ? "/" : place, short_text(found), short_text(asked)};
}

}  // namespace

bool finds_run_to_resume(const RunOptions& options) {
    return options.resume && OutputFolder::holds_run(options.outdir);
}

void take_tiles_of_run(RunOptions& options, const RunKind& kind) {
    if (!finds_run_to_resume(options) || options.tile_n_cols > 0) return;
    const Json record = read_run_record(options.outdir, kind);
    const Json tile = record["options"].value("tile", Json::array());
    const auto is_size = [](const Json& n) { return n.is_number_integer() && n.get<std::int64_t>() > 0; };
    if (!tile.is_array() || tile.size() != 2 || !is_size(tile[0]) || !is_size(tile[1])) {
        throw InvalidArgument("'" + options.outdir + "/" + kRunRecord + "': options/tile is " +
                              short_text(tile) + ", must be two sizes");
    }
    options.tile_n_cols = tile[0].get<std::int64_t>();
    options.tile_n_rows = tile[1].get<std::int64_t>();
}

void take_inputs_of_run(RunOptions& options, const RunKind& kind) {
    if (!finds_run_to_resume(options)) return;
    const Json record = read_run_record(options.outdir, kind);
    const Json left_out = record.value("left_out", Json());
    try {
        options.series.left_out = left_out_of_json(left_out);
    } catch (const Json::exception&) {
        throw InvalidArgument("'" + options.outdir + "/" + kRunRecord + "': left_out is " +
                              short_text(left_out) + ", must be a list of names and errors");
    }
}

void require_same_run(const std::string& outdir, const RunKind& kind, const Json& record) {
    // As it is in the file: numbers and texts that JSON changes are changed in both.
    const Json asked = Json::parse(json_text(record));
    const auto difference = first_difference(read_run_record(outdir, kind), asked, "");
    if (!difference) return;
    throw InvalidArgument("'" + outdir + "/" + kRunRecord + "': -resume: " + difference->place.substr(1) +
                          " was " + difference->found + " in this run, is " + difference->asked +
                          " now; give what it was made from, or -overwrite to begin anew");
}

}  // namespace rastertide
